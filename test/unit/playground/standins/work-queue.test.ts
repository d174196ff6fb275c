import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { jsonLog } from '../../../../src/playground/standins/log.ts'
import { backoffMilliseconds, startWorkQueue } from '../../../../src/playground/standins/work-queue.ts'

const log = jsonLog(() => undefined, 'test')

describe('back-off', () => {
  it.each([
    [0, 5],
    [1, 10],
    [13, 40_960],
    [17, 655_360],
    [18, 1_000_000],
    [60, 1_000_000],
  ])('after %i failures is %i ms', (failures, milliseconds) => {
    expect(backoffMilliseconds(failures)).toBe(milliseconds)
  })

  it('lets fourteen tries go by in the first 80 seconds, the next one comes after 82', () => {
    const tries = Array.from({ length: 15 }, (_, failures) =>
      Array.from({ length: failures }, (__, before) => backoffMilliseconds(before)).reduce((sum, one) => sum + one, 0),
    )
    expect(tries.filter((at) => at < 80_000)).toHaveLength(14)
    expect(tries.at(-1)).toBe(81_915)
  })
})

describe('work queue', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('sleeps longer after each failure, but an event wakes it at once', async () => {
    const tries: number[] = []
    const queue = startWorkQueue(async () => {
      tries.push(Date.now())
      throw new Error('denied')
    }, log)
    const start = Date.now()
    queue.add('a')
    await vi.advanceTimersByTimeAsync(5 + 10 + 20)
    expect(tries.map((at) => at - start)).toEqual([0, 5, 15, 35])
    queue.add('a')
    await vi.advanceTimersByTimeAsync(0)
    expect(tries).toHaveLength(5)
    // the event did not forgive the failures: the next sleep is the fifth step
    await vi.advanceTimersByTimeAsync(79)
    expect(tries).toHaveLength(5)
    await vi.advanceTimersByTimeAsync(1)
    expect(tries).toHaveLength(6)
    queue.stop()
    await vi.advanceTimersByTimeAsync(1_000_000)
    expect(tries).toHaveLength(6)
  })

  it('tries a denied write 14 times in 82 s, then after 164, 328, 655 and 1000 s, and every 1000 s from there', async () => {
    const tries: number[] = []
    const queue = startWorkQueue(async () => {
      tries.push(Date.now())
      throw new Error('denied')
    }, log)
    const start = Date.now()
    queue.add('a')
    await vi.advanceTimersByTimeAsync(81_000)
    expect(tries).toHaveLength(14)
    await vi.advanceTimersByTimeAsync(4_300_000)
    const gaps = tries.map((at, index) => at - (tries[index - 1] ?? start)).slice(14)
    expect(gaps.slice(0, 6)).toEqual([40_960, 81_920, 163_840, 327_680, 655_360, 1_000_000])
    expect(gaps.slice(6)).toEqual([1_000_000, 1_000_000])
    queue.stop()
  })

  it('finishes what it works on after a stop, begins nothing more, and tells when', async () => {
    const gate = Promise.withResolvers<void>()
    const done: string[] = []
    const queue = startWorkQueue(async (key) => {
      await gate.promise
      done.push(key)
      return { requeueAfterMilliseconds: 1 }
    }, log)
    queue.add('a')
    queue.add('b')
    queue.stop()
    let idle = false
    const waited = queue.idle().then(() => {
      idle = true
    })
    queue.add('c')
    await vi.advanceTimersByTimeAsync(60_000)
    expect([done, idle]).toEqual([[], false])
    gate.resolve()
    await waited
    await vi.advanceTimersByTimeAsync(60_000)
    expect([done, queue.pending]).toEqual([['a'], 0])
  })

  it('forgets failures after a success', async () => {
    let fail = true
    const tries: number[] = []
    const queue = startWorkQueue(async () => {
      tries.push(Date.now())
      if (fail) throw new Error('denied')
      return undefined
    }, log)
    const start = Date.now()
    queue.add('a')
    await vi.advanceTimersByTimeAsync(16)
    fail = false
    await vi.advanceTimersByTimeAsync(20)
    fail = true
    queue.add('a')
    await vi.advanceTimersByTimeAsync(5)
    expect(tries.map((at) => at - start)).toEqual([0, 5, 15, 35, 36, 41])
    queue.stop()
  })

  it('does a key once more that comes while it is worked on, and never twice at a time', async () => {
    const gates: PromiseWithResolvers<void>[] = []
    let most = 0
    let running = 0
    const queue = startWorkQueue(async () => {
      most = Math.max(most, ++running)
      const gate = Promise.withResolvers<void>()
      gates.push(gate)
      await gate.promise
      running--
      return undefined
    }, log)
    queue.add('a')
    queue.add('a')
    queue.add('a')
    gates[0]?.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(gates).toHaveLength(2)
    gates[1]?.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect([gates.length, most, queue.pending]).toEqual([2, 1, 0])
  })

  it('comes back when asked to', async () => {
    let calls = 0
    const queue = startWorkQueue(async () => (calls++ === 0 ? { requeueAfterMilliseconds: 200 } : undefined), log)
    queue.add('a')
    await vi.advanceTimersByTimeAsync(199)
    expect(calls).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect([calls, queue.pending]).toEqual([2, 0])
  })
})
