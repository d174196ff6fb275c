/** Somebody who works with another kind meanwhile: one GET and one small PATCH every few milliseconds. */
import { beat } from '../../support/beat.ts'
import { openWire, type Wire } from './wire.ts'

export interface Latencies {
  requests: number
  failures: number
  /** milliseconds */
  p50: number
  p99: number
}

/** The value below which this share of the sorted values lies. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

// More objects than requests in flight: patches of one object would wait for each other and not for the server.
const objects = 32
const mostInFlight = 16
const path = (number: number): string => `/api/v1/namespaces/default/configmaps/bystander-${number % objects}`

/** Makes the objects that it works with. */
export async function prepareBystander(wire: Wire): Promise<void> {
  for (let number = 0; number < objects; number += 1) {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `bystander-${number}` }, data: { beat: '' } }
    await wire.send('POST', '/api/v1/namespaces/default/configmaps', { body: JSON.stringify(body) })
  }
}

/** It keeps its pace whether or not it is answered, so that a server that stalls is seen to stall. */
export function startBystander(kubeconfig: string, everyMs: number): { stop(): Promise<Latencies> } {
  const wire = openWire(kubeconfig, mostInFlight)
  const taken: number[] = []
  const timed = async (send: () => Promise<unknown>) => {
    const begin = performance.now()
    await send()
    taken.push(performance.now() - begin)
  }
  const running = beat(
    async (number) => {
      await timed(() => wire.send('GET', path(number)))
      const body = JSON.stringify({ data: { beat: String(number) } })
      const contentType = 'application/merge-patch+json'
      await timed(() => wire.send('PATCH', path(number), { body, contentType }))
    },
    { everyMs, inFlight: mostInFlight },
  )
  return {
    stop: async () => {
      const attempts = await running.stop()
      await wire.close()
      const sorted = taken.toSorted((a, b) => a - b)
      const failures = attempts.filter(({ failure }) => failure !== undefined).length
      return { requests: taken.length, failures, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
    },
  }
}
