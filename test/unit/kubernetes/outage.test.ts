import { describe, expect, test } from 'vitest'
import type { RawResponse } from '../../../src/kubernetes/client.types.ts'
import { ApiError, ConnectionError } from '../../../src/kubernetes/errors.ts'
import { isOutage, ridingOut } from '../../../src/kubernetes/outage.ts'

const cut = (code: string): ConnectionError =>
  new ConnectionError({ code, server: 'test', message: `cut off (${code})` })
const answer = (code: number): ApiError =>
  new ApiError({ code, reason: '', message: `answered ${code}`, request: 'GET /' })

/** A server that fails `away` times when it is asked whether it is ready. */
const server = (away: number) => {
  let asked = 0
  return {
    raw: async (): Promise<RawResponse> => {
      if (asked++ < away) throw cut('ECONNREFUSED')
      return { status: 200, headers: {}, text: 'ok' }
    },
  }
}

describe('an API server that is away', () => {
  test.each([
    [cut('ECONNREFUSED'), true],
    [cut('UND_ERR_SOCKET'), true],
    [answer(503), true],
    [answer(504), true],
    [cut('CERT_HAS_EXPIRED'), false],
    [cut('ENOTFOUND'), false],
    // A webhook that cannot be called is 500; a token that has ended is 401: neither goes away by waiting.
    [answer(500), false],
    [answer(401), false],
    [answer(409), false],
    [new Error('ours'), false],
  ])('%s: %s', (error, outage) => {
    expect(isOutage(error)).toBe(outage)
  })

  const options = (away: number, seconds = 30) => ({
    client: server(away),
    signal: new AbortController().signal,
    told: [] as string[],
    report(text: string) {
      this.told.push(text)
    },
    seconds,
    everyMs: 1,
  })

  test('what was asked of it is asked again when it is back', async () => {
    const given = options(1)
    let asked = 0
    const value = await ridingOut(async () => {
      if (asked++ === 0) throw cut('ECONNRESET')
      return 'done'
    }, given)
    expect([value, asked]).toEqual(['done', 2])
    expect(given.told).toEqual(['waiting for the API server: cut off (ECONNRESET)'])
  })

  test('what was refused is not asked again', async () => {
    let asked = 0
    const refused = ridingOut(async () => {
      asked++
      throw answer(409)
    }, options(0))
    await expect(refused).rejects.toThrow('answered 409')
    expect(asked).toBe(1)
  })

  test('one that does not come back is told by its own error', async () => {
    const gone = ridingOut(async () => Promise.reject(cut('ECONNREFUSED')), options(1000, 0))
    await expect(gone).rejects.toThrow('cut off (ECONNREFUSED)')
  })

  test('one that comes and goes for ever is given up', async () => {
    let asked = 0
    const given = options(0)
    const flapping = ridingOut(async () => {
      asked++
      throw cut('ECONNRESET')
    }, given)
    await expect(flapping).rejects.toThrow('cut off')
    expect(asked).toBe(6)
  })

  test('an interrupted run does not wait', async () => {
    const stop = new AbortController()
    stop.abort(new Error('stopped'))
    const stopped = ridingOut(async () => Promise.reject(cut('ECONNRESET')), { ...options(0), signal: stop.signal })
    await expect(stopped).rejects.toThrow('cut off')
  })
})
