import { describe, expect, test } from 'vitest'
import { compareDefinitions } from '../../../../src/crds/comparison/compare-definitions.ts'
import type { Finding, JSONSchema } from '../../../../src/crds/comparison/comparison.types.ts'
import { allRules } from '../../../../src/crds/comparison/rules.ts'
import { storedTest } from '../../../../src/installation/evidence/stored-test.ts'
import type { AnyObject, KubernetesObject } from '../../../../src/kubernetes/objects.ts'
import { definition, object, root, version } from '../../crds/comparison/definitions.ts'
import {
  a,
  anyKeys,
  anything,
  combined,
  either,
  integer,
  list,
  listOf,
  map,
  number,
  open,
  text,
} from '../../crds/comparison/schemas.ts'

type Schema = JSONSchema

const minor = 36

/** Findings have their texts from a profile, which say nothing to a test of objects. */
const texts = { title: '', why: '', fix: '' }

const stored = (spec: unknown): AnyObject => ({
  apiVersion: 'example.io/v1',
  kind: 'Model',
  metadata: { name: 'one', namespace: 'team', creationTimestamp: '2026-11-22T00:00:00Z' },
  spec,
})

/** An object in which the field is not there at all. */
const absent = Symbol('absent')
const withX = (x: unknown): AnyObject => stored(x === absent ? {} : { x })

function between(before: Schema, after: Schema, id: string): (object: KubernetesObject) => object | undefined {
  const definitions = {
    before: definition([version('v1', { root: before })]),
    after: definition([version('v1', { root: after })]),
  }
  const changes = compareDefinitions(definitions.before, definitions.after).filter((change) => change.id === id)
  const [change, ...others] = changes
  if (change === undefined || others.length > 0) throw new Error(`${changes.length} times ${id}`)
  const made = storedTest({ ...change, ...texts }, definitions, minor)
  if (made === undefined) throw new Error(`objects say nothing about ${id}`)
  return made
}

const inSpec = (x: Schema, others: Schema = {}): Schema => root(object({ x, y: text }, others))
const open2 = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known: text } }
const items = { type: 'array', items: object({ name: text, size: integer }) }
const keyed = (...keys: string[]): Schema => ({
  ...items,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': keys,
})
const many = (...names: string[]) => names.map((name) => ({ name }))
const sized = (...names: string[]) => names.map((name, size) => ({ name, size }))
const withDefault = (value: unknown): Schema => ({ ...text, default: value })

/** The field x of spec, before and after; values of it that the change hurts, and values that it does not. */
const cases: [id: string, before: Schema, after: Schema, hurt: unknown[], safe: unknown[]][] = [
  ['crd.type.changed', text, integer, ['a', ''], [1, absent]],
  ['crd.type.narrowed', number, integer, [1.5], [1, 2, absent]],
  ['crd.int-or-string.removed', either, integer, ['1'], [1, absent]],
  ['crd.nullable.removed', { ...text, nullable: true }, text, [null], ['a', absent]],
  ['crd.enum.added', text, { ...text, enum: ['a'] }, ['b', ''], ['a', absent]],
  ['crd.enum.value-removed', { ...text, enum: ['a', 'b'] }, { ...text, enum: ['a'] }, ['b'], ['a', absent]],
  ['crd.minimum.added', integer, { ...integer, minimum: 3 }, [2, -1], [3, 4, absent]],
  ['crd.minimum.tightened', { ...integer, minimum: 1 }, { ...integer, minimum: 3 }, [1, 2], [3, absent]],
  ['crd.minimum.tightened', { ...number, minimum: 1 }, { ...number, minimum: 1, exclusiveMinimum: true }, [1], [1.5]],
  ['crd.maximum.tightened', { ...integer, maximum: 5 }, { ...integer, maximum: 3 }, [4, 5], [3, absent]],
  ['crd.multiple-of.added', integer, { ...integer, multipleOf: 3 }, [2], [3, 0, absent]],
  ['crd.min-length.added', text, { ...text, minLength: 2 }, ['', 'a'], ['ab', absent]],
  ['crd.max-length.tightened', { ...text, maxLength: 3 }, { ...text, maxLength: 2 }, ['abc'], ['ab', absent]],
  ['crd.min-items.added', list, { ...list, minItems: 1 }, [[]], [['a'], absent]],
  ['crd.max-items.added', list, { ...list, maxItems: 1 }, [['a', 'b']], [[], ['a'], absent]],
  ['crd.min-properties.added', map, { ...map, minProperties: 1 }, [{}], [{ k: 'a' }, absent]],
  ['crd.max-properties.added', map, { ...map, maxProperties: 1 }, [{ k: 'a', l: 'b' }], [{ k: 'a' }, absent]],
  ['crd.pattern.added', text, { ...text, pattern: '^a' }, ['b'], ['ab', absent]],
  ['crd.pattern.changed', { ...text, pattern: 'a' }, { ...text, pattern: '^a' }, ['ba'], ['ab', 'b', absent]],
  ['crd.format.added', text, { ...text, format: 'date' }, ['today'], ['2026-11-22', absent]],
  ['crd.property.removed', object({ a: text, b: text }), a, [{ b: '' }, { b: 'x', a: 'y' }], [{ a: 'b' }, {}, absent]],
  [
    'crd.property.emptied',
    { ...anyKeys, properties: { a: object({ b: text }) } },
    anyKeys,
    [{ a: { b: 'x' } }],
    [{ a: {} }, {}, { c: { d: 'x' } }, absent],
  ],
  ['crd.property.renamed', a, object({ b: text }), [{ a: 'x' }], [{}, absent]],
  ['crd.property.added-with-default', object({}), object({ a: withDefault('d') }), [{}], [absent]],
  [
    'crd.property.constrains-unknown',
    open,
    { ...open, properties: { k: text } },
    [{ k: 1 }],
    [{ k: 'a' }, { l: 1 }, {}, absent],
  ],
  ['crd.required.added', a, { ...a, required: ['a'] }, [{}], [{ a: '' }, absent]],
  [
    'crd.required.added-with-default',
    object({ a: withDefault('d') }),
    object({ a: withDefault('d') }, { required: ['a'] }),
    [{}, { a: 'd' }],
    [{ a: 'x' }, absent],
  ],
  ['crd.default.added', a, object({ a: withDefault('d') }), [{}], [{ a: '' }, { a: 'd' }, absent]],
  [
    'crd.default.changed',
    object({ a: withDefault('c') }),
    object({ a: withDefault('d') }),
    [{}, { a: 'c' }],
    [{ a: 'd' }, absent],
  ],
  ['crd.default.removed', object({ a: withDefault('c') }), a, [{}, { a: 'c' }], [{ a: 'd' }, absent]],
  ['crd.additional-properties.structure-changed', map, a, [{ b: 'x' }], [{ a: 'x' }, {}, absent]],
  ['crd.additional-properties.removed', map, { type: 'object' }, [{ b: 'x' }], [{}, absent]],
  ['crd.additional-properties.constrained', open, map, [{ k: 1 }], [{ k: 'a' }, {}, absent]],
  [
    'crd.preserve-unknown-fields.removed',
    open2,
    object({ known: text }),
    [{ other: 1 }, { known: 'a', other: null }],
    [{ known: 'a' }, {}, absent],
  ],
  ['crd.items.added', { type: 'array' }, list, [[1], ['a', {}]], [['a'], [], absent]],
  ['crd.all-of.branch-added', text, combined('allOf', { minLength: 2 }), ['a'], ['ab', absent]],
  ['crd.any-of.added', text, combined('anyOf', { enum: ['a'] }, { minLength: 3 }), ['b'], ['a', 'bcd', absent]],
  ['crd.one-of.added', text, combined('oneOf', { enum: ['a'] }, { minLength: 3 }), ['b'], ['a', 'bcd', absent]],
  ['crd.not.added', text, { ...text, not: { enum: ['a'] } }, ['a'], ['b', absent]],
  ['crd.list-type.to-unique', list, listOf('set'), [['a', 'a']], [['a', 'b'], [], absent]],
  ['crd.list-type.to-unique', items, keyed('name'), [many('a', 'b', 'a')], [many('a', 'b'), absent]],
  ['crd.list-map-keys.changed', keyed('size'), keyed('name'), [sized('a', 'b', 'a')], [sized('a', 'b'), absent]],
  [
    'crd.embedded-resource.removed',
    { ...a, 'x-kubernetes-embedded-resource': true },
    a,
    [{ kind: 'Pod' }],
    [{ a: 'x' }, absent],
  ],
  ['crd.type.changed', { ...text, nullable: true }, integer, ['a', null], [1, absent]],
  [
    'crd.max-properties.added',
    object({ a: text }),
    object({ a: text, b: withDefault('d') }, { maxProperties: 1 }),
    [{ a: 'x' }],
    [{}, absent],
  ],
  [
    'crd.embedded-resource.added',
    open,
    { ...open, 'x-kubernetes-embedded-resource': true },
    [{ kind: 'Pod' }],
    [{ apiVersion: 'v1', kind: 'Pod', metadata: {} }, absent],
  ],
]

describe('which objects a change hurts', () => {
  test.each(cases)('%s', (id, before, after, hurt, safe) => {
    const damage = between(inSpec(before), inSpec(after), id)
    const harmed = (values: unknown[]) => values.filter((value) => damage(withX(value)) !== undefined)
    expect({ hurt: harmed(hurt), safe: harmed(safe) }).toEqual({ hurt, safe: [] })
  })

  test('nothing else at the node counts, nor what is around it', () => {
    const both = { ...text, enum: ['a', 'b'] }
    const damage = between(inSpec(both), inSpec({ ...text, enum: ['a'], maxLength: 1 }), 'crd.enum.value-removed')
    expect(damage(stored({ x: 'a', y: 7 }))).toBeUndefined()
    expect(damage(stored({ x: 'long' })), 'what was refused before is not hurt anew').toBeUndefined()
  })
})

/** Where the changed node is: before and after of spec, an object, and the field that is told. */
const places: [what: string, id: string, before: Schema, after: Schema, spec: unknown, field: string][] = [
  [
    'the items of a list',
    'crd.property.removed',
    object({ list: items }),
    object({ list: { type: 'array', items: object({ size: integer }) } }),
    { list: [{ size: 1 }, { name: 'a' }] },
    'spec.list[1].name',
  ],
  [
    'the values of a map',
    'crd.max-length.added',
    object({ m: map }),
    object({ m: { type: 'object', additionalProperties: { ...text, maxLength: 1 } } }),
    { m: { k: 'a', long: 'abc' } },
    'spec.m.long',
  ],
  [
    'lists in lists',
    'crd.minimum.added',
    object({ l: { type: 'array', items: { type: 'array', items: integer } } }),
    object({ l: { type: 'array', items: { type: 'array', items: { ...integer, minimum: 1 } } } }),
    { l: [[], [1, 0]] },
    'spec.l[1][1]',
  ],
  [
    'fields named like words',
    'crd.type.changed',
    object({ items: object({ values: text }) }),
    object({ items: object({ values: integer }) }),
    { items: { values: 'a' } },
    'spec.items.values',
  ],
  [
    'a key beside named fields',
    'crd.preserve-unknown-fields.removed',
    object({ o: open2 }),
    object({ o: object({ known: text }) }),
    { o: { known: 'a', k: 1 } },
    'spec.o.k',
  ],
  [
    'deep inside what had no schema',
    'crd.property.constrains-unknown',
    open,
    { ...open, properties: { l: items } },
    { l: [{}, { size: 'a' }] },
    'spec.l[1].size',
  ],
]

describe('where it says that objects are hurt', () => {
  test.each(places)('%s', (_, id, before, after, spec, field) => {
    expect(between(root(before), root(after), id)(stored(spec))).toEqual({
      field,
      message: expect.stringMatching(/\w/),
    })
  })

  test.each<[string, unknown]>([
    ['a text in place of an object', 'text'],
    ['null', null],
    ['a list', [{ x: 'a' }]],
    ['a number', 7],
  ])('%s has no fields that could be hurt', (_, spec) => {
    expect(between(inSpec(text), root(object({ y: text })), 'crd.property.removed')(stored(spec))).toBeUndefined()
  })

  test('a value that nests deeper than anybody looks counts as hurt', () => {
    let deep: unknown = {}
    for (let depth = 0; depth < 9000; depth++) deep = { k: deep }
    const damage = between(inSpec(open), inSpec(map), 'crd.additional-properties.constrained')
    expect(damage(withX(deep))).toEqual({ field: 'spec.x', message: expect.stringContaining('too deep') })
  })

  test('a field of a name that every JavaScript object answers to', () => {
    const damage = between(root(object({ constructor: text })), root(object({})), 'crd.property.removed')
    expect(damage(stored({}))).toBeUndefined()
    expect(damage(stored({ constructor: 'a' }))).toMatchObject({ field: 'spec.constructor' })
  })
})

describe('findings about whole versions', () => {
  const v1 = version('v1')
  const other = version('v2', { spec: object({ x: integer }) })
  const bare = version('v1', { schema: {} })
  const finding = (id: string, of: string): Finding => ({
    id,
    scope: 'definition',
    version: of,
    path: '',
    audiences: ['stored'],
    level: 'error',
    ...texts,
  })
  const whole = (id: string, of: string, before = definition([v1]), after = definition([v1, other])) =>
    storedTest(finding(id, of), { before, after }, minor)

  test('without a conversion the whole object is held to the other version', () => {
    const damage = whole('crd.conversion.none-between-different-schemas', 'v1 -> v2')
    expect(damage?.(withX('a'))).toMatchObject({ field: 'spec.x' })
    expect(damage?.(stored({}))).toBeUndefined()
  })
  test('a schema where there was none drops and refuses', () => {
    const damage = whole('crd.schema.added', 'v1', definition([bare]), definition([v1]))
    expect(damage?.(withX(1))).toMatchObject({ field: 'spec.x' })
    expect(damage?.(stored({ y: 1 }))).toEqual({ field: 'spec.y', message: 'is dropped' })
    expect(damage?.(withX('a')), 'metadata and type are of no schema').toBeUndefined()
  })
  test('a version that goes hurts those whose managers name it', () => {
    const damage = whole('crd.version.removed', 'v2')
    const written = (apiVersion: string): KubernetesObject => {
      const { metadata, ...rest } = withX('a')
      return { ...rest, metadata: { ...metadata, managedFields: [{ manager: 'helm', apiVersion }] } }
    }
    expect(damage?.(written('example.io/v2'))).toEqual({
      field: 'metadata.managedFields',
      message: 'helm wrote it as example.io/v2',
    })
    expect(damage?.(written('example.io/v1'))).toBeUndefined()
  })
})

/** Why no object can answer, for every kind of change that says it hurts stored objects and has no test. */
const unanswerable: Record<string, string> = {
  'crd.validation-rule': 'only an API server evaluates CEL',
  'crd.items.changed': 'no API server takes a list of schemas',
  'crd.keyword': 'the word is unknown',
  'crd.storage': 'the version that an object is stored in cannot be seen',
  'crd.scope': 'the API server refuses it whatever there is',
  'crd.definition-preserve-unknown-fields': 'definitions before v1 alone could keep them; it names no version',
  'crd.group': 'it is another definition',
  'crd.names': 'it is another definition',
  'crd.conversion': 'it is about the webhook, not about objects',
  'crd.schema.removed': 'API servers refuse it',
}

test('every kind of change that hurts stored objects has its test, or a reason for none', () => {
  const node = { path: [], before: anything, after: { ...text, nullable: true } }
  const definitions = { before: definition([version('v1')]), after: definition([version('v1')]) }
  const kinds = allRules.flatMap(({ id, kinds: all }) =>
    Object.entries(all).flatMap(([name, { audiences }]) => (audiences.includes('stored') ? [`${id}.${name}`] : [])),
  )
  const without = kinds.filter((id) => {
    const finding: Finding = {
      id,
      scope: 'same-version',
      version: 'v1',
      path: '^',
      audiences: ['stored'],
      level: 'error',
      node,
      ...texts,
    }
    return storedTest(finding, definitions, minor) === undefined
  })
  const excused = (id: string) => Object.keys(unanswerable).find((entry) => id === entry || id.startsWith(`${entry}.`))
  expect(without.filter((id) => excused(id) === undefined)).toEqual([])
  expect(Object.keys(unanswerable).filter((entry) => !without.some((id) => excused(id) === entry))).toEqual([])
})
