import { describe, expect, it } from 'vitest'
import type { Lease } from '../../../../src/kubernetes/objects.ts'
import { electionMove, nextLease } from '../../../../src/playground/standins/leader-election.ts'

const ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'n', name: 'l' }
const lease = (spec: Lease['spec']): Lease => ({
  apiVersion: ref.apiVersion,
  kind: ref.kind,
  metadata: { name: 'l', namespace: 'n', resourceVersion: '7' },
  ...(spec ? { spec } : {}),
})
const held = { holderIdentity: 'other_1', leaseDurationSeconds: 15, leaseTransitions: 3 }

describe('electionMove', () => {
  const table: [what: string, lease: Lease | undefined, sinceChange: number, move: string][] = [
    ['no lease', undefined, 0, 'create'],
    ['a lease without a holder', lease({ ...held, holderIdentity: '' }), 0, 'acquire'],
    ['a released lease', lease({ ...held, holderIdentity: null }), 0, 'acquire'],
    ['its own lease', lease({ ...held, holderIdentity: 'me_1' }), 60_000, 'renew'],
    ['a lease that changed just now', lease(held), 0, 'wait'],
    ['a lease not renewed for 14.9 s', lease(held), 14_900, 'wait'],
    ['a lease not renewed for 15 s', lease(held), 15_000, 'acquire'],
    ['a longer lease not renewed for 15 s', lease({ ...held, leaseDurationSeconds: 60 }), 15_000, 'wait'],
    ['the same pod before a restart', lease({ ...held, holderIdentity: 'me_0' }), 0, 'wait'],
  ]
  it.each(table)('%s', (_, object, sinceChange, move) => {
    expect(electionMove(object, { record: '', atMilliseconds: 1_000_000 }, 'me_1', 1_000_000 + sinceChange)).toBe(move)
  })
})

describe('nextLease', () => {
  const now = new Date('2026-11-22T03:00:00.123Z')
  it('counts a transition and keeps the resource version of what it takes over', () => {
    expect(nextLease(lease(held), ref, 'me_1', now)).toEqual(
      lease({
        holderIdentity: 'me_1',
        leaseDurationSeconds: 15,
        acquireTime: '2026-11-22T03:00:00.123000Z',
        renewTime: '2026-11-22T03:00:00.123000Z',
        leaseTransitions: 4,
      }),
    )
  })
  it('only renews its own', () => {
    const mine = { ...held, holderIdentity: 'me_1', acquireTime: '2026-11-22T02:00:00.000000Z' }
    expect(nextLease(lease(mine), ref, 'me_1', now).spec).toEqual({ ...mine, renewTime: '2026-11-22T03:00:00.123000Z' })
  })
})
