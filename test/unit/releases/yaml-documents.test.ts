/** What is made to exhaust a parser is refused, soon and with a reason; what is not is read as it is. */

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { readYamlDocuments, UnusableYaml, yamlLimits } from '../../../src/releases/yaml-documents.ts'
import { type Chance, testProperties } from '../../support/seeded.ts'

const times = (count: number, text: string | ((index: number) => string)): string =>
  Array.from({ length: count }, (_, index) => (typeof text === 'string' ? text : text(index))).join('')
const laughs = times(9, (level) => `l${level}: &l${level} [${level === 0 ? '1,1,1,1' : times(9, `*l${level - 1},`)}]\n`)

describe('refused', () => {
  test.each<[string, string, RegExp]>([
    ['10,000 open lists', times(10_000, '['), /levels deep/],
    ['10,000 lists', times(10_000, '[') + times(10_000, ']'), /levels deep/],
    ['10,000 maps in a line', `${times(10_000, '{a: ')}1${times(10_000, '}')}`, /levels deep/],
    ['10,000 dashes', `${times(10_000, '- ')}a`, /levels deep/],
    ['10,000 questions', `${times(10_000, '? ')}a`, /levels deep/],
    ['5,000 levels of indentation', times(5000, (level) => `${' '.repeat(level)}a:\n`), /levels deep/],
    ['more lists than the parser has stack for', times(1900, '[') + times(1900, ']'), /levels deep/],
    ['just one level too many', times(201, '[') + times(201, ']'), /levels deep/],
    ['JSON too deep', `${times(300, '{"a":')}1${times(300, '}')}`, /levels deep/],
    ['an alias bomb', laughs, /values|alias/],
    ['more aliases than any manifest', `a: &a 1\n${times(101, (key) => `k${key}: *a\n`)}`, /aliases/],
    ['an alias of what it is in', '&a {b: [*a]}', /holds itself/],
    ['an alias of nothing', 'a: *b', /alias/],
    ['a key twice', 'a: 1\nb: 2\na: 3', /duplicated mapping key at line/],
    ['a key twice in JSON', '{"a": 1, "a": 2}', /duplicated mapping key at line/],
    ['a key twice, once in quotes', 'a: 1\n"a": 2', /duplicated mapping key at line/],
    ['too long', 'x'.repeat(yamlLimits.bytes + 1), /20 MB/],
    ['too many lines', times(yamlLimits.values + 1, '\n'), /lines and values/],
    ['too many values', `[${times(yamlLimits.values + 1, '1,')}]`, /values/],
    ['a list that does not end', 'a: [1', /not usable YAML/],
    ['two things in one', 'a: 1\n b: 2', /not usable YAML/],
  ])('%s', (_, text, reason) => {
    const began = performance.now()
    expect(() => readYamlDocuments(text)).toThrow(expect.objectContaining({ name: 'UnusableYaml' }))
    expect(() => readYamlDocuments(text)).toThrow(reason)
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})

describe('read', () => {
  test.each<[string, string, unknown[]]>([
    ['nothing', '', []],
    ['two documents', 'a: 1\n---\nb: 2\n', [{ a: 1 }, { b: 2 }]],
    ['JSON', '{"a": [1, true, null, "x"]}', [{ a: [1, true, null, 'x'] }]],
    ['octal numbers as kubectl has them', 'mode: 0644', [{ mode: 420 }]],
    ['an alias', 'a: &a [1]\nb: *a', [{ a: [1], b: [1] }]],
    ['the same anchor at two places', 'a: &a [1]\nb: &a [2]\nc: *a', [{ a: [1], b: [2], c: [2] }]],
    ['200 levels', times(200, '[') + times(200, ']'), [JSON.parse(times(200, '[') + times(200, ']'))]],
    ['brackets in a text', `a: "${times(300, '[')}"`, [{ a: times(300, '[') }]],
    ['a field named like a prototype', '{"__proto__": 1}', [JSON.parse('{"__proto__": 1}')]],
  ])('%s', (_, text, expected) => expect(readYamlDocuments(text)).toEqual(expected))
})

/** Another reader, whose own numbers like 0644 are no octal ones: no file here has them. */
const byAnother = (text: string): unknown[] => [...parseAllDocuments(text)].map((document): unknown => document.toJS())

const root = join(import.meta.dirname, '../../..')
const files = (pattern: string): string[] => globSync(pattern, { cwd: root }).toSorted()
const upstream = files('../shared/upstream/**/*.yaml')

describe('files are read as another reader does', () => {
  const both = (file: string): [unknown, unknown] => {
    const text = readFileSync(join(root, file), 'utf8')
    return [readYamlDocuments(text), byAnother(text)]
  }
  test.each(files('examples/releases/**/*.yaml'))('%s', (file) => {
    const [ours, theirs] = both(file)
    expect(ours).toStrictEqual(theirs)
  })
  // Large ones, on a machine with other things to do.
  test.skipIf(upstream.length === 0)(
    'those of others (skipped where there are none)',
    () => {
      for (const [ours, theirs] of upstream.map(both)) expect(ours).toStrictEqual(theirs)
    },
    60_000,
  )
})

const pieces = [
  'a',
  'b: ',
  '- ',
  '\n',
  '\n  ',
  '\n- ',
  '[',
  ']',
  '{',
  '}',
  ',',
  ': ',
  '&a ',
  '*a',
  '"',
  "'",
  '|\n',
  '>-\n  ',
]
const odd = [
  '? ',
  '#',
  '!!map ',
  '!x ',
  '%YAML 1.1\n',
  '---\n',
  '...\n',
  '\t',
  '\u0000',
  '\ufeff',
  '\ud83d',
  '<<: ',
  '~',
  '0o7',
  '1e999',
]
const noise = (chance: Chance): string => times(1 + chance.below(40), () => chance.pick(chance.flip() ? pieces : odd))

/** One line why it is refused; undefined where it is read. Any other error is thrown on. */
const refusal = (text: string): string | undefined => {
  try {
    readYamlDocuments(text)
    return undefined
  } catch (error) {
    if (error instanceof UnusableYaml) return error.message
    throw new Error(`${JSON.stringify(text)}: ${String(error)}`, { cause: error })
  }
}

testProperties([
  {
    title: 'any text is read or refused in one line, and nothing else happens',
    holds: (chance) => {
      const text = noise(chance)
      if (refusal(text)?.includes('\n')) throw new Error(`${JSON.stringify(text)}: the reason has several lines`)
    },
  },
  {
    title: 'what is written is read back',
    holds: (chance) => {
      const text = JSON.stringify(anyValue(chance, 4), null, chance.below(3))
      const [read, ...others] = readYamlDocuments(text)
      if (others.length > 0 || JSON.stringify(read) !== JSON.stringify(JSON.parse(text))) throw new Error(text)
    },
  },
  {
    title: 'a key twice is refused wherever the library refuses it',
    holds: (chance) => {
      const text = times(1 + chance.below(6), () => `${chance.pick(['a', 'b', '"a"', '{x: 1}', '1', '"1"'])}: 1\n`)
      const library = parseAllDocuments(text, { logLevel: 'silent' })[0]?.errors.length ?? 0
      if (library > 0 && refusal(text) === undefined) throw new Error(JSON.stringify(text))
    },
  },
])

function anyValue(chance: Chance, depth: number): unknown {
  if (depth > 0 && chance.flip()) {
    const inner = chance.several(4, () => anyValue(chance, depth - 1))
    return chance.flip() ? inner : Object.fromEntries(inner.map((value, index) => [`${chance.text()}${index}`, value]))
  }
  return chance.pick<unknown>([null, true, false, 0, -1, 1.5, chance.text()])
}
