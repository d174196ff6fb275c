/** Somebody who works with ModelDeployments while an installation is upgraded, and counts what is refused. */
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import type { ObjectReference } from '../../src/kubernetes/objects.ts'
import { type Attempt, beat } from './beat.ts'

export interface Outcome {
  requests: number
  failures: number
  /** each message once, with the number of times */
  messages: Record<string, number>
  /** from the first request that failed to the answer of the next that did not */
  longestOutageMs: number
}

export interface Bystander {
  stop(): Promise<{ creates: Outcome; updates: Outcome }>
}

/** Sends a dry-run create like `model` and a real update of it, each every 100 ms, until it is stopped. */
export const startBystander = async (client: KubernetesClient, model: ObjectReference): Promise<Bystander> => {
  const { apiVersion, kind, metadata, ...live } = await client.get(model)
  const namespace = metadata.namespace ?? 'default'
  const creates = beat(async (number) =>
    client.create(
      { apiVersion, kind, metadata: { name: `bystander-${number}`, namespace }, spec: live['spec'] },
      { dryRun: true },
    ),
  )
  // One at a time: updates of one object that overtake each other would wait for each other in the API server.
  const updates = beat(
    async (number) =>
      client.patch(
        model,
        { metadata: { annotations: { 'bystander.test/number': String(number) } } },
        { type: 'merge', fieldManager: 'bystander' },
      ),
    { inFlight: 1 },
  )
  return {
    stop: async () => {
      const [created, updated] = await Promise.all([creates.stop(), updates.stop()])
      return { creates: outcomeOf(created), updates: outcomeOf(updated) }
    },
  }
}

/** Counts the failures of attempts that are in the order they were sent. Pure. */
export const outcomeOf = (attempts: readonly Attempt[]): Outcome => {
  const messages: Record<string, number> = {}
  let failing: number | undefined
  let longestOutageMs = 0
  for (const { sent, answered, failure } of attempts) {
    if (failure !== undefined) {
      messages[failure] = (messages[failure] ?? 0) + 1
      failing ??= sent
    }
    if (failing !== undefined) longestOutageMs = Math.max(longestOutageMs, answered - failing)
    if (failure === undefined) failing = undefined
  }
  const failures = attempts.filter(({ failure }) => failure !== undefined).length
  return { requests: attempts.length, failures, messages, longestOutageMs }
}
