import { expect, test } from 'vitest'
import type { ManagedFieldsEntry } from '../../../src/kubernetes/objects.ts'
import { type KnownFlip, storageFlip } from '../../../src/migration/flip-time.ts'
import { definition } from './survey-definitions.ts'

const server = Date.parse('2026-11-22T10:00:00Z')
const sameClock = { server, local: server }
const owner = (time: string | undefined, field = 'f:versions'): ManagedFieldsEntry => ({
  manager: 'kubectl',
  operation: 'Update',
  fieldsV1: { 'f:spec': { [field]: {} } },
  ...(time !== undefined && { time }),
})
const own = (more: Partial<KnownFlip> = {}): KnownFlip => ({
  uid: 'u1',
  generation: 3,
  answeredAt: '2026-11-22T09:59:30.500Z',
  ...more,
})

test.each<[string, ManagedFieldsEntry[] | undefined, KnownFlip | undefined, string | undefined]>([
  ['the time of the owner of the versions', [owner('2026-11-22T09:00:00Z')], undefined, '2026-11-22T09:00:00.000Z'],
  [
    'the newest of several owners',
    [owner('2026-11-22T09:00:00Z'), owner('2026-11-22T09:30:00Z')],
    undefined,
    '2026-11-22T09:30:00.000Z',
  ],
  ['who owns other fields says nothing', [owner('2026-11-22T09:30:00Z', 'f:group')], undefined, undefined],
  [
    'an owner of other fields does not move it',
    [owner('2026-11-22T09:00:00Z'), owner('2026-11-22T09:59:59Z', 'f:names')],
    undefined,
    '2026-11-22T09:00:00.000Z',
  ],
  [
    'an owner without a time leaves it unknown',
    [owner('2026-11-22T09:00:00Z'), owner(undefined)],
    undefined,
    undefined,
  ],
  ['a time that is none leaves it unknown', [owner('yesterday')], undefined, undefined],
  ['no managedFields at all', undefined, undefined, undefined],
  [
    'a young one is not certain: the write may land after its time',
    [owner('2026-11-22T09:50:01Z')],
    undefined,
    undefined,
  ],
  ['one of ten minutes is', [owner('2026-11-22T09:50:00Z')], undefined, '2026-11-22T09:50:00.000Z'],
  ['one of the future is not', [owner('2026-11-22T10:20:00Z')], undefined, undefined],
  ['our own write, whose answer we have', [owner('2026-11-22T09:00:00Z')], own(), '2026-11-22T09:59:30.500Z'],
  [
    'not where the spec has changed since',
    [owner('2026-11-22T09:40:00Z')],
    own({ generation: 2 }),
    '2026-11-22T09:40:00.000Z',
  ],
  ['not where it was made anew', undefined, own({ uid: 'u0' }), undefined],
])('%s', (_title, managedFields, known, expected) => {
  const crd = definition(managedFields ? { managedFields } : {})
  expect(storageFlip(crd, sameClock, known)?.at).toBe(expected)
})

test.each([-7200, -3, 3, 7200])('a clock of ours that is %i s off gives a time of our clock', (seconds) => {
  const local = server + seconds * 1000
  const flip = storageFlip(definition({ managedFields: [owner('2026-11-22T09:00:00Z')] }), { server, local })
  expect(local - Date.parse(flip?.at ?? '')).toBe(3_600_000)
})

test('without a clock of the server only our own write counts', () => {
  const crd = definition({ managedFields: [owner('2026-11-22T09:00:00Z')] })
  expect(storageFlip(crd, undefined)).toBeUndefined()
  expect(storageFlip(crd, undefined, own())?.source).toBe('own write')
})
