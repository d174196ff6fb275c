/** Whether every API server knows the storage version. */
import { describe, expect, test } from 'vitest'
import {
  agreeing,
  type Sighting,
  type Standing,
  standingOf,
  storageVersionHash,
} from '../../../src/migration/settle.ts'
import { target } from './pass-server.ts'

describe('the hash of a storage version', () => {
  test('is what API servers make', () => {
    // As a Kubernetes 1.36 shows for its own kind.
    expect(storageVersionHash('', 'v1', 'Pod')).not.toBe(storageVersionHash('', 'v1', 'pod'))
    expect(storageVersionHash('apps', 'v1', 'Deployment')).toBe('8aSe+NMegvE=')
  })

  test.each<[string, string | undefined, Standing]>([
    ['the storage version', storageVersionHash(target.group, 'v1', target.kind), 'current'],
    ['the version before', storageVersionHash(target.group, 'v1alpha1', target.kind), 'behind'],
    ['another kind', storageVersionHash(target.group, 'v1', 'Gadget'), 'unknown'],
    ['made in another way', 'AAAA', 'unknown'],
    ['nothing', undefined, 'unknown'],
  ])('%s', (_, hash, standing) => {
    expect(standingOf(hash, target)).toBe(standing)
  })
})

describe('answers that agree', () => {
  const seen = (text: string): Sighting[] =>
    text.split('').map((letter, second) => ({
      standing: letter === 'c' ? 'current' : letter === 'b' ? 'behind' : 'unknown',
      hash: letter,
      at: second * 1000,
    }))
  // c: current, b: behind, others: hashes that say nothing; one a second.
  test.each([
    ['', 0],
    ['c', 1],
    ['ccc', 3],
    ['bccc', 3],
    ['ccb', 0],
    ['ccbcc', 2],
    ['bbbbbbbbbbbbbbbbbbbbbbbb', 0],
    ['xxx', 0],
    ['xxxxxxxxxxx', 11],
    ['xxxxxyxxxxxx', 0],
    ['xxxxxxxxxxxy', 0],
    ['cxc', 1],
  ])('%s: %i', (text, count) => {
    expect(agreeing(seen(text), 10_000)).toBe(count)
  })
})
