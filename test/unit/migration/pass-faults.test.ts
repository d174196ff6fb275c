/** One pass over all objects, against a server that refuses and fails as API servers do. */
import { describe, expect, test } from 'vitest'
import type { PassPlace } from '../../../src/migration/migration.types.ts'
import { type Fault, status } from './pass-server.ts'
import { isPatchOf, passStage, patches, times } from './pass-stage.ts'

const on = passStage()

describe('what it does when the server has too much to do', () => {
  test('429 reaches the pace, and nobody asks before the time is over', async () => {
    on.server.fill(300, 'v1alpha1')
    const when: number[] = []
    const refusals: number[] = []
    on.server.fault = times(8, (asked) => {
      if (!patches(asked) || on.server.asked.length < 100) return undefined
      refusals.push(on.clock.now())
      return status(429, 'too many requests', { 'retry-after': '3' })
    })
    const fault = on.server.fault
    on.server.fault = (asked, by) => {
      when.push(on.clock.now())
      return fault(asked, by)
    }
    expect(await on.run()).toMatchObject({ rewritten: 300, failed: 0 })
    expect(refusals).toHaveLength(8)
    const [first = 0] = refusals
    // Those that were on their way already are all that comes in the time.
    expect(when.filter((at) => at > first && at < first + 2900).length).toBeLessThan(8)
    expect(on.clock.waits.some((milliseconds) => milliseconds > 2500 && milliseconds <= 3000)).toBe(true)
  })

  test('one object that always fails is given up after six attempts; the others are done', async () => {
    on.server.fill(20, 'v1alpha1')
    on.server.fault = (asked) =>
      isPatchOf(asked, 'w-00007') ? status(500, 'etcdserver: request timed out') : undefined
    const result = await on.run()
    expect(result).toMatchObject({ rewritten: 19, failed: 1 })
    expect(result.failures).toEqual([
      { namespace: 'n', name: 'w-00007', cause: 'server', message: 'etcdserver: request timed out' },
    ])
    expect(on.server.count((asked) => isPatchOf(asked, 'w-00007'))).toBe(6)
  })

  test('a run in which a quarter of the objects fails does not ask six times for each', async () => {
    on.server.fill(1000, 'v1alpha1')
    on.server.fault = (asked) =>
      patches(asked) && Number(asked.name?.slice(2)) % 4 === 0 ? status(500, 'no') : undefined
    const result = await on.run()
    expect(result).toMatchObject({ rewritten: 750, failed: 250 })
    expect(result.failures).toHaveLength(100)
    expect(on.server.count(patches)).toBeLessThan(1000 + 100 + 200 + 1)
  })

  test('limits', async () => {
    on.server.fill(100, 'v1alpha1')
    const result = await on.run({ limits: { maxInFlight: 2, maxQps: 50 } })
    expect(result.rewritten).toBe(100)
    expect(on.server.mostBusy).toBeLessThanOrEqual(2)
    expect(result.mostInFlight).toBeLessThanOrEqual(2)
    expect(result.seconds).toBeGreaterThan(1.8)
  })
})

const conversionDown = status(
  500,
  'conversion webhook for bench.example/v1alpha1, Kind=Widget failed: connection refused',
)

describe('what it does when everything fails', () => {
  test('a conversion webhook that is down for a minute: one object is asked now and then, and none is lost', async () => {
    on.server.fill(200, 'v1alpha1')
    const from = on.clock.now()
    let during = 0
    on.server.fault = (asked) => {
      if (!patches(asked) || on.clock.now() > from + 60_000) return undefined
      during += 1
      return conversionDown
    }
    expect(await on.run()).toMatchObject({ rewritten: 200, failed: 0 })
    expect(during).toBeLessThan(25)
  })

  test('one that stays down ends the pass, and another goes on from its place', async () => {
    on.server.fill(1100, 'v1alpha1')
    on.server.fault = (asked) => (patches(asked) && (asked.name ?? '') > 'w-00700' ? conversionDown : undefined)
    const saved: PassPlace[] = []
    const error = await on.stopped(on.run({ outageSeconds: 90, onPlace: (place) => void saved.push(place) }))
    expect(error).toMatchObject({ reason: 'outage', answer: { cause: 'conversion' }, place: { continue: 'w-00499' } })
    expect(saved).toEqual([error.place])
    on.server.fault = () => undefined
    const asked = on.server.asked.length
    const result = await on.run({ place: error.place })
    expect(result).toMatchObject({ failed: 0, startedAt: error.place.startedAt })
    expect(result.rewritten + result.unchanged).toBe(1100)
    expect(on.server.asked.length - asked).toBe(600 + 2)
    expect(on.server.in('v1alpha1')).toEqual([])
  })

  test('a server that is away', async () => {
    on.server.fill(50, 'v1alpha1')
    on.server.fault = (asked) => (patches(asked) ? 'lost' : undefined)
    expect(await on.stopped(on.run())).toMatchObject({ reason: 'outage', answer: { cause: 'connection' } })
  })

  test.each<[string, Fault, object]>([
    [
      'rights are missing',
      (asked) =>
        patches(asked)
          ? status(
              403,
              'forbidden: User "jane" cannot patch resource "widgets" in API group "bench.example" in the namespace "n"',
            )
          : undefined,
      { reason: 'forbidden', answer: { subject: 'patch widgets.bench.example' } },
    ],
    [
      'the right to list is missing',
      () =>
        status(
          403,
          'forbidden: User "jane" cannot list resource "widgets" in API group "bench.example" at the cluster scope',
        ),
      { reason: 'forbidden', answer: { subject: 'list widgets.bench.example' } },
    ],
    [
      'the definition ends',
      (asked) => (patches(asked) ? status(405, 'not allowed') : undefined),
      { reason: 'not-served' },
    ],
    [
      'the definition is gone',
      (asked) => (patches(asked) ? status(404, 'the server could not find the requested resource') : undefined),
      { reason: 'not-served' },
    ],
    [
      'the list cannot be read',
      () =>
        status(
          500,
          'request to convert CR list failed, list index 3: request to convert CR from an invalid group/version: bench.example/v0',
        ),
      { reason: 'unreadable', answer: { subject: 'bench.example/v0' } },
    ],
    ['the list fails for ever', () => status(503, 'not now'), { reason: 'outage' }],
  ])('it stops where %s', async (_, fault, expected) => {
    on.server.fill(200, 'v1alpha1')
    on.server.fault = fault
    expect(await on.stopped(on.run())).toMatchObject(expected)
    expect(on.server.count(patches)).toBeLessThanOrEqual(4)
  })
})

describe('who refuses', () => {
  const denial = status(403, 'admission webhook "v.example.com" denied the request: no')

  test('a webhook at the main endpoint only: through /status', async () => {
    on.server.fill(10, 'v1alpha1')
    on.server.fault = (asked) => (patches(asked) && !asked.subresource ? denial : undefined)
    expect(await on.run()).toMatchObject({ rewritten: 10, throughStatus: 10, failed: 0 })
    expect(on.server.in('v1alpha1')).toEqual([])
  })

  test.each<[string, Fault, boolean]>([
    ['at both endpoints', (asked) => (patches(asked) ? denial : undefined), true],
    ['and there is no other endpoint', (asked) => (patches(asked) ? denial : undefined), false],
    [
      'and rights for the other endpoint are missing',
      (asked) =>
        asked.subresource
          ? status(403, 'User "j" cannot patch resource "widgets/status" in API group "bench.example"')
          : patches(asked)
            ? denial
            : undefined,
      true,
    ],
  ])('%s: failed, with the name of the webhook', async (_, fault, statusSubresource) => {
    on.server.fill(3, 'v1alpha1')
    on.server.fault = fault
    const result = await on.run({}, { statusSubresource })
    expect(result).toMatchObject({ rewritten: 0, failed: 3 })
    expect(result.failures[0]).toMatchObject({ cause: 'webhook', subject: 'v.example.com' })
    expect(on.server.count(patches)).toBe(statusSubresource ? 6 : 3)
  })
})
