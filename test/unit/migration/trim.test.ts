/** Every reason not to trim, and what comes next while nothing is proved. */
import { describe, expect, test } from 'vitest'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import { seenIn } from '../../../src/migration/definition-watch.ts'
import type { FailureCause, PassResult } from '../../../src/migration/migration.types.ts'
import { lateWritesEnd, type Move, nextMove } from '../../../src/migration/prove.ts'
import { mayTrim } from '../../../src/migration/trim.ts'
import { repairOf, withVersionsBack } from '../../../src/migration/unreadable.ts'
import { definition, target as targetOf, version } from './survey-definitions.ts'

const flippedAt = '2026-01-01T00:00:00.000Z'
const lateEnd = lateWritesEnd({ flippedAt, firstLookAt: '2026-01-01T00:05:00.000Z' }, 34)
const at = (seconds: number): string => new Date(Date.parse(flippedAt) + seconds * 1000).toISOString()

const pass = (changes: Partial<PassResult> = {}): PassResult => ({
  rewritten: 0,
  unchanged: 10,
  gone: 0,
  failed: 0,
  throughStatus: 0,
  managersMoved: 0,
  altered: 0,
  startedAt: at(60),
  seconds: 1,
  requests: 11,
  failures: [],
  mostInFlight: 4,
  ...changes,
})
const failing = (cause: FailureCause, count = 1, changes: Partial<PassResult> = {}): PassResult =>
  pass({ failed: count, failures: [{ name: 'w', cause, message: 'no' }], ...changes })

const crd = definition()
const target = targetOf(crd)
const changed = (edit: (live: CustomResourceDefinition) => void): CustomResourceDefinition => {
  const live = structuredClone(crd)
  edit(live)
  return live
}

const schemaChanged = changed(({ metadata, spec }) => {
  metadata.generation = 4
  spec.versions = [version('v1alpha1', {}, { other: { type: 'string' } }), version('v1beta1', { storage: true })]
})

describe('trims', () => {
  test('where one change of the spec meanwhile was about nothing that is stored', () => {
    const live = changed(({ metadata, spec }) => {
      metadata.generation = 4
      spec.names.shortNames = ['w']
    })
    expect(mayTrim(live, target, { passes: [pass()], lateEnd }).decision).toBe('trim')
    // One more, and the one before has been seen.
    const later = { ...live, metadata: { ...live.metadata, generation: 5 } }
    expect(mayTrim(later, seenIn(live, target), { passes: [pass()], lateEnd }).decision).toBe('trim')
    expect(seenIn(crd, seenIn(live, target)).generation).toBe(4)
  })

  test('on proof, on the resourceVersion that was read', () => {
    expect(mayTrim(crd, target, { passes: [pass({ rewritten: 3 }), pass()], lateEnd })).toEqual({
      decision: 'trim',
      resourceVersion: '77',
    })
  })

  test('where another one has trimmed a part of it', () => {
    const three = { ...target, storedVersions: ['v1', 'v1alpha1', 'v1beta1'] }
    expect(mayTrim(crd, three, { passes: [pass()], lateEnd }).decision).toBe('trim')
  })

  test('not again', () => {
    const live = changed(({ status }) => Object.assign(status ?? {}, { storedVersions: ['v1beta1'] }))
    expect(mayTrim(live, target, { passes: [pass()], lateEnd })).toEqual({ decision: 'done' })
  })
})

describe('does not trim', () => {
  test.each<[string, PassResult[], string]>([
    ['no pass', [], 'no pass has looked'],
    ['the last pass has rewritten', [pass({ rewritten: 1 })], '1 objects had to be rewritten'],
    ['a proof that is not the last pass', [pass(), pass({ rewritten: 2 })], '2 objects had to be rewritten'],
    ['failures', [failing('webhook', 4)], '4 objects could not be written'],
    ['it began in the window', [pass({ startedAt: at(33.9) })], 'could still land'],
    [
      'it began as the window ended, before every server had the flip',
      [pass({ startedAt: at(34.5) })],
      'could still land',
    ],
    ['it has no time', [pass({ startedAt: '' })], 'could still land'],
  ])('%s', (_, passes, why) => {
    expect(mayTrim(crd, target, { passes, lateEnd })).toEqual({
      decision: 'refused',
      why: expect.stringContaining(why),
    })
  })

  test.each<[string, CustomResourceDefinition | undefined, string]>([
    ['it is gone', undefined, 'was deleted'],
    ['another uid', changed(({ metadata }) => Object.assign(metadata, { uid: 'u2' })), 'made again'],
    ['it is terminating', definition({ deletionTimestamp: at(1) }), 'being deleted'],
    ['another schema', schemaChanged, 'in what decides how objects are stored'],
    ['changes that nobody saw', changed(({ metadata }) => Object.assign(metadata, { generation: 5 })), '2 times'],
    [
      'another storage version',
      changed(({ spec }) => {
        for (const each of spec.versions) each.storage = each.name === 'v1alpha1'
      }),
      'is v1alpha1 now',
    ],
    ['a stored version more', definition({ storedVersions: ['v1', 'v1alpha1', 'v1beta1'] }), 'has v1 in its'],
  ])('%s: changed', (_, live, why) => {
    expect(mayTrim(live, target, { passes: [pass()], lateEnd })).toEqual({
      decision: 'changed',
      why: expect.stringContaining(why),
    })
  })

  test('while another migrator works', () => {
    const live = definition({ conditions: [{ type: 'StorageMigrating', status: 'True' }] })
    expect(mayTrim(live, target, { passes: [pass()], lateEnd }).decision).toBe('later')
  })

  test('without a resourceVersion', () => {
    const live = changed(({ metadata }) => delete metadata.resourceVersion)
    expect(mayTrim(live, target, { passes: [pass()], lateEnd }).decision).toBe('refused')
  })
})

describe('the end of late writes', () => {
  test.each([
    [{ flippedAt, firstLookAt: at(100) }, 35],
    [{ firstLookAt: at(100) }, 135],
  ])('%j', (look, seconds) => {
    expect(lateWritesEnd(look, 34)).toBe(Date.parse(at(seconds)))
  })
})

describe('next', () => {
  const rewrite = { kind: 'pass', phase: 'rewrite', late: false, unsettled: false }
  const prove = { kind: 'pass', phase: 'prove', late: true, unsettled: false }
  const most = pass({ rewritten: 9, unchanged: 1 })
  test.each<[string, PassResult[], object]>([
    ['nothing done', [], rewrite],
    ['rewritten', [pass({ rewritten: 10, unchanged: 0 })], prove],
    ['nothing to rewrite, too early', [pass({ startedAt: at(1) })], prove],
    ['nothing to rewrite, late enough', [pass()], { kind: 'trim', proof: pass() }],
    ['found some in the window', [most, pass({ rewritten: 1, startedAt: at(5) })], prove],
    ['found some afterwards: a server is behind', [most, pass({ rewritten: 1 })], { ...prove, unsettled: true }],
    ['a failure that passes', [failing('server')], rewrite],
    [
      'the same once more',
      [failing('server'), failing('server')],
      { kind: 'end', reason: expect.stringContaining('1 by server') },
    ],
    ['a failure that stays', [failing('schema')], { kind: 'end', reason: expect.stringContaining('1 by schema') }],
    [
      'failures that are not known',
      [failing('server', 200)],
      { kind: 'end', reason: expect.stringContaining('200 objects') },
    ],
    ['it passed', [failing('server'), pass({ rewritten: 1 })], { ...prove, unsettled: true }],
    [
      'most of them change with each write',
      [most, most, most],
      { kind: 'end', reason: expect.stringContaining('mutating webhook') },
    ],
    [
      'it never ends',
      Array.from({ length: 6 }, () => pass({ rewritten: 1 })),
      { kind: 'end', reason: expect.stringContaining('last of 6') },
    ],
  ])('%s', (_, passes, expected) => {
    expect<Move>(nextMove(passes, lateEnd)).toEqual(expected)
  })
})

describe('the repair of a definition whose objects cannot be read', () => {
  const bare = definition({ versions: [version('v1beta1', { storage: true })], storedVersions: ['v1beta1'] })

  test('brings the version back, and records it', () => {
    expect(repairOf(bare, ['v1alpha1'])).toMatchObject({ bringBack: ['v1alpha1'], record: ['v1alpha1'], uid: 'u1' })
    const back = withVersionsBack(bare, ['v1alpha1', 'v1beta1'])
    expect(back.spec.versions).toHaveLength(2)
    expect(back.spec.versions[0]).toEqual(bare.spec.versions[0])
    expect(back.spec.versions[1]).toMatchObject({ name: 'v1alpha1', served: true, storage: false })
  })

  test('brings back what status names and the spec lacks', () => {
    const forced = definition({ versions: [version('v1beta1', { storage: true })], storedVersions: ['v1', 'v1beta1'] })
    expect(repairOf(forced, [])).toMatchObject({ bringBack: ['v1'], record: [] })
  })

  test('records what is back already, and leaves a whole one alone', () => {
    const unrecorded = definition({ storedVersions: ['v1beta1'] })
    expect(repairOf(unrecorded, ['v1alpha1'])).toMatchObject({ bringBack: [], record: ['v1alpha1'] })
    expect(repairOf(crd, ['v1alpha1'])).toBeUndefined()
  })

  test('says that a webhook has to know the version', () => {
    const converted = definition({ versions: bare.spec.versions, conversion: { strategy: 'Webhook' } })
    expect(repairOf(converted, ['v0'])?.words.join()).toContain('conversion webhook')
    expect(repairOf(bare, ['v0'])?.words.join()).not.toContain('conversion webhook')
  })
})
