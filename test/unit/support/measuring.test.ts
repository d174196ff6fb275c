/** The yardsticks of the hand-over's story: one that cannot see a gap would let every gap pass. */
import { describe, expect, test } from 'vitest'
import { outcomeOf } from '../../support/bystander.ts'
import type { AuditEvent } from '../../support/control-plane.ts'
import { oneAtATime, reconcileGap } from '../../support/reconcile-gap.ts'

const COMPONENT = 'system:serviceaccount:system:controller'
const START = Date.parse('2026-11-22T12:00:00Z')

const write = (at: number, by: { nudge: true } | { pod: string }, object = 'a/one', code = 200): AuditEvent => ({
  auditID: String(at),
  verb: 'patch',
  requestURI: 'nudge' in by ? '/x?fieldManager=reconcile-gap' : '/x?fieldManager=manager',
  user:
    'nudge' in by
      ? { username: 'admin' }
      : { username: COMPONENT, extra: { 'authentication.kubernetes.io/pod-name': [by.pod] } },
  objectRef: {
    resource: 'modeldeployments',
    subresource: 'status',
    namespace: object.split('/')[0] ?? '',
    name: object.split('/')[1] ?? '',
  },
  responseStatus: { code },
  requestReceivedTimestamp: new Date(START + at).toISOString(),
  stageTimestamp: new Date(START + at).toISOString(),
  stage: 'ResponseComplete',
})
const nudge = { nudge: true } as const

describe('the longest time without a reconcile', () => {
  test('is from the first nudge that nobody answers to the next write, by whichever pod', () => {
    const gap = reconcileGap(
      [
        write(0, nudge),
        write(50, { pod: 'old' }),
        write(100, nudge),
        write(200, nudge),
        write(300, { pod: 'new' }, 'a/one', 409),
        write(900, { pod: 'new' }, 'a/other'),
        write(1600, { pod: 'new' }),
        write(1700, nudge),
        write(1750, { pod: 'new' }),
      ],
      COMPONENT,
      ['a/one'],
    )
    expect(gap).toMatchObject({ longestMs: 1500, object: 'a/one', endedBy: 'new' })
    expect(gap.tenures.map(({ pod, writes }) => `${pod} ${writes}`)).toEqual(['old 1', 'new 3'])
    expect(oneAtATime(gap)).toBe(true)
  })

  test('is not over where nobody has answered, and is nobody else’s', () => {
    const events = [write(0, nudge), write(10, nudge, 'b/two'), write(2000, nudge)]
    expect(reconcileGap(events, COMPONENT, ['a/one'])).toMatchObject({ longestMs: 2000, endedBy: undefined })
    expect(reconcileGap(events, COMPONENT, []).longestMs).toBe(0)
  })

  test('two that write in turns are seen', () => {
    const events = [write(0, { pod: 'old' }), write(10, { pod: 'new' }), write(20, { pod: 'old' })]
    expect(oneAtATime(reconcileGap(events, COMPONENT, ['a/one']))).toBe(false)
  })
})

test('an outage lasts from the first refusal to the next answer, or as long as anybody has asked', () => {
  const attempts = [
    { sent: 0, answered: 10 },
    { sent: 100, answered: 150, failure: 'no' },
    { sent: 200, answered: 900, failure: 'no' },
    { sent: 300, answered: 1300 },
    { sent: 400, answered: 410, failure: 'other' },
  ]
  expect(outcomeOf(attempts)).toEqual({
    requests: 5,
    failures: 3,
    messages: { no: 2, other: 1 },
    longestOutageMs: 1200,
  })
})
