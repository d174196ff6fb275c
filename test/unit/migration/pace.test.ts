/** How many requests a pass has on their way, against servers that are simulated: their time is told, not lived. */
import { describe, expect, test } from 'vitest'
import { Pace } from '../../../src/migration/pace.ts'

interface Answer {
  milliseconds: number
  status?: 'throttled' | 'failed'
  retryAfterMs?: number
}

/** What a server makes of a request that comes at `now` while `busy` others are there. */
type Server = (now: number, busy: number) => Answer

interface Run {
  /** number in flight, by time */
  levels: { at: number; level: number }[]
  answered: number
  started: number[]
}

/** mulberry32 */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function simulate(pace: Pace, server: Server, seconds: number): Run {
  const run: Run = { levels: [], answered: 0, started: [] }
  const flying: { startedAt: number; endsAt: number; answer: Answer }[] = []
  let now = 0
  while (now < seconds * 1000) {
    while (flying.length < pace.inFlight && pace.earliest() <= now) {
      const answer = server(now, flying.length)
      pace.started(now)
      run.started.push(now)
      flying.push({ startedAt: now, endsAt: now + answer.milliseconds, answer })
    }
    flying.sort((left, right) => left.endsAt - right.endsAt)
    const next = flying[0]
    if (!next || (flying.length < pace.inFlight && pace.earliest() < next.endsAt)) {
      now = Math.max(now, pace.earliest())
      continue
    }
    flying.shift()
    now = next.endsAt
    const { status, retryAfterMs } = next.answer
    if (status === undefined) run.answered += 1
    pace.record({
      startedAt: next.startedAt,
      endedAt: now,
      outcome: status ?? 'answered',
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    })
    run.levels.push({ at: now, level: pace.inFlight })
  }
  return run
}

/** So many cores, each of which needs `cpu` ms for a request; with noise of the given part. */
function cores(count: number | ((now: number) => number), cpu: number, noise = 0, random = chance(1)): Server {
  const free: number[] = []
  return (now) => {
    const many = typeof count === 'number' ? count : count(now)
    while (free.length < many) free.push(0)
    const core = free.slice(0, many).reduce((best, at, index) => (at < (free[best] ?? 0) ? index : best), 0)
    const begin = Math.max(now, free[core] ?? 0)
    const end = begin + cpu * (1 + noise * (2 * random() - 1))
    free[core] = end
    return { milliseconds: end - now + 1 }
  }
}

const time = (run: Run, within: (level: number) => boolean, from: number): number => {
  const later = run.levels.filter(({ at }) => at >= from)
  let [inside, all] = [0, 0]
  later.forEach(({ at, level }, index) => {
    const span = (later[index + 1]?.at ?? at) - at
    all += span
    if (within(level)) inside += span
  })
  return inside / all
}
const within = (run: Run, from: number, to: number): number[] =>
  run.levels.flatMap(({ at, level }) => (at >= from && at <= to ? [level] : []))
const most = (run: Run, from = 0): number =>
  within(run, from, Number.POSITIVE_INFINITY).reduce((left, right) => Math.max(left, right))
const least = (run: Run, from = 0, to = Number.POSITIVE_INFINITY): number =>
  within(run, from, to).reduce((left, right) => Math.min(left, right))

describe('where it settles', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8].flatMap((seed) => [0, 0.3, 0.9].map((noise) => ({ seed, noise }))))(
    'at the knee of two cores: SEED=$seed, noise $noise',
    ({ seed, noise }) => {
      const run = simulate(new Pace({ maxInFlight: 32 }), cores(2, 8, noise, chance(seed)), 30)
      expect(time(run, (level) => level >= 4 && level <= 8, 2000)).toBeGreaterThan(0.95)
      expect(most(run)).toBeLessThanOrEqual(9)
      expect(run.answered / 30).toBeGreaterThan(230)
    },
  )

  test.each([1, 2, 3, 4])('where a server answers after 5 ms whatever comes, high and soon: SEED=%i', (seed) => {
    const random = chance(seed)
    const run = simulate(new Pace({ maxInFlight: 32 }), () => ({ milliseconds: 5 * (0.8 + 0.4 * random()) }), 20)
    expect(run.levels.find(({ level }) => level >= 16)?.at).toBeLessThan(4000)
    expect(least(run, 5000)).toBeGreaterThanOrEqual(16)
    expect(time(run, (level) => level >= 28, 5000)).toBeGreaterThan(0.8)
  })

  test('where capacity is for 12, near 12', () => {
    const run = simulate(new Pace({ maxInFlight: 32 }), cores(12, 40, 0.2), 60)
    expect(time(run, (level) => level >= 9 && level <= 19, 10_000)).toBeGreaterThan(0.9)
  })

  test('never above what is allowed', () => {
    const run = simulate(new Pace({ maxInFlight: 3 }), () => ({ milliseconds: 5 }), 10)
    expect(most(run)).toBe(3)
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('at the knee also while others come and go: SEED=%i', (seed) => {
    const random = chance(seed)
    // Every second another part of the two cores is left.
    const parts = Array.from({ length: 100 }, () => 0.3 + 0.7 * random())
    const free = [0, 0]
    const server: Server = (now) => {
      const core = (free[0] ?? 0) <= (free[1] ?? 0) ? 0 : 1
      free[core] = Math.max(now, free[core] ?? 0) + (8 / (parts[Math.floor(now / 1000)] ?? 1)) * (0.5 + random())
      return { milliseconds: (free[core] ?? 0) - now + 1 }
    }
    const run = simulate(new Pace({ maxInFlight: 32 }), server, 60)
    expect(time(run, (level) => level <= 9, 2000)).toBeGreaterThan(0.9)
    expect(most(run)).toBeLessThanOrEqual(14)
  })

  test('capacity that grows is found, and capacity that goes is given back', () => {
    const run = simulate(
      new Pace({ maxInFlight: 32 }),
      cores((now) => (now < 20_000 || now > 60_000 ? 2 : 16), 8, 0.2),
      160,
    )
    expect(most(run, 0)).toBeGreaterThanOrEqual(16)
    expect(time(run, (level) => level <= 13, 110_000)).toBeGreaterThan(0.8)
  })
})

describe('what it does when the server has too much to do', () => {
  test('latency that rises without throughput halves it; later it comes back', () => {
    const server: Server = (now, busy) => ({ milliseconds: now > 6000 && now < 12_000 ? 40 * (busy + 1) : 8 })
    const run = simulate(new Pace({ maxInFlight: 8 }), server, 60)
    expect(least(run, 6000, 14_000)).toBeLessThanOrEqual(4)
    expect(most(run, 30_000)).toBe(8)
  })

  test('nobody sends while a server asked to wait', () => {
    let refused = false
    const run = simulate(
      new Pace({ maxInFlight: 32 }),
      (now) => {
        if (now < 1000 || refused) return { milliseconds: 5 }
        refused = true
        return { milliseconds: 5, status: 'throttled', retryAfterMs: 3000 }
      },
      10,
    )
    expect(run.started.filter((at) => at > 1010 && at < 4000)).toEqual([])
    expect(run.started.some((at) => at >= 4000)).toBe(true)
  })

  test('one burst of refusals halves once; a storm ends at one, and is left behind when it is over', () => {
    const burst = new Pace({ maxInFlight: 32 })
    for (let index = 0; index < 4; index++) burst.record({ startedAt: 0, endedAt: 10 + index, outcome: 'throttled' })
    expect(burst.inFlight).toBe(2)

    const storm = simulate(
      new Pace({ maxInFlight: 32 }),
      (now) => (now < 10_000 ? { milliseconds: 5, status: 'throttled', retryAfterMs: 1000 } : { milliseconds: 5 }),
      60,
    )
    expect(least(storm, 0, 10_000)).toBe(1)
    expect(storm.started.filter((at) => at < 10_000).length).toBeLessThan(20)
    expect(most(storm, 30_000)).toBeGreaterThanOrEqual(16)
  })

  test('a server that lets ten in and refuses the rest is not pestered', () => {
    const run = simulate(
      new Pace({ maxInFlight: 32 }),
      (_, busy) => (busy >= 10 ? { milliseconds: 2, status: 'throttled', retryAfterMs: 1000 } : { milliseconds: 20 }),
      120,
    )
    expect(run.answered / run.started.length).toBeGreaterThan(0.99)
    expect(run.answered / 120).toBeGreaterThan(150)
  })

  test.each(['throttled', 'failed'] as const)('%s halves', (outcome) => {
    const pace = new Pace({ maxInFlight: 32 })
    pace.record({ startedAt: 0, endedAt: 10, outcome })
    expect(pace.inFlight).toBe(2)
  })
})

test.each([5, 50, 400])('at most %i a second, whatever the server could do', (maxQps) => {
  const run = simulate(new Pace({ maxInFlight: 32, maxQps }), () => ({ milliseconds: 2 }), 20)
  for (let second = 0; second < 19; second++) {
    const started = run.started.filter((at) => at >= second * 1000 && at < (second + 1) * 1000).length
    expect(started).toBeLessThanOrEqual(maxQps * 1.05 + 1)
  }
  expect(run.started.length).toBeGreaterThan(maxQps * 20 * 0.95)
})
