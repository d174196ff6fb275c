/** Requests at a fixed pace, whether or not the ones before have been answered: an outage is seen as long as it is. */
import { setInterval as ticks } from 'node:timers/promises'

/** One request: when it was sent and answered (milliseconds since the epoch), and why it failed. */
export interface Attempt {
  sent: number
  answered: number
  failure?: string
}

export interface Beat {
  /** in the order they were sent, once all are answered */
  stop(): Promise<Attempt[]>
}

interface Pace {
  everyMs?: number
  /** more than these wait for their answers at no time: a server that hangs is not flooded */
  inFlight?: number
}

/** Sends `request` every 100 ms until it is stopped. */
export const beat = (
  request: (number: number) => Promise<unknown>,
  { everyMs = 100, inFlight = 10 }: Pace = {},
): Beat => {
  const over = new AbortController()
  const attempts: Attempt[] = []
  const open = new Set<Promise<void>>()
  const send = async (number: number): Promise<void> => {
    const sent = Date.now()
    const failure = await request(number).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    attempts.push({ sent, answered: Date.now(), ...(failure !== undefined && { failure }) })
  }
  const running = (async () => {
    let number = 0
    try {
      for await (const _ of ticks(everyMs, undefined, { signal: over.signal })) {
        if (open.size >= inFlight) continue
        const sending: Promise<void> = send(number++).finally(() => open.delete(sending))
        open.add(sending)
      }
    } catch (error) {
      if (!over.signal.aborted) throw error
    }
  })()
  return {
    stop: async () => {
      over.abort()
      await running
      await Promise.all(open)
      return attempts.toSorted((a, b) => a.sent - b.sent)
    },
  }
}
