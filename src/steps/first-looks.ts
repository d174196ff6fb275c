/**
 * When this process has first seen the definitions of a run as they are now. Where nobody knows when a storage version was set,
 * the seconds in which old writes may land count from there; of several definitions they go by at the same time.
 */
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { MigrationTarget } from '../migration/migration.types.ts'
import { clockTime, ownClock } from './flip-storage.ts'
import type { StepContext } from './step.types.ts'

interface Look {
  uid?: string | undefined
  generation?: number | undefined
  /** taken after the answer: whatever it shows had happened by then */
  at: string
}

interface Looks {
  /** whose times they are: other processes' clocks differ */
  clock: string
  definitions: Record<string, Look>
}

const LOOKS = 'first-looks'

/** Undefined where the definition is not the one that was seen then. */
export const firstLookAt = async (
  { definition, uid, generation }: Pick<MigrationTarget, 'definition' | 'uid' | 'generation'>,
  together: readonly string[] | undefined,
  context: Pick<StepContext, 'client' | 'signal' | 'keep' | 'kept'>,
): Promise<string | undefined> => {
  if (together === undefined) return undefined
  const known = await context.kept<Looks>(LOOKS)
  const { definitions } = known?.clock === ownClock() ? known : await lookAtAll(together, context)
  const look = definitions[definition]
  return look?.uid === uid && look.generation === generation ? look.at : undefined
}

const lookAtAll = async (
  names: readonly string[],
  { client, signal, keep }: Pick<StepContext, 'client' | 'signal' | 'keep'>,
): Promise<Looks> => {
  const definitions: Looks['definitions'] = {}
  for (const name of names) {
    const reference = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name }
    const live = await client.find<CustomResourceDefinition>(reference, signal)
    const { uid, generation } = live?.metadata ?? {}
    definitions[name] = { uid, generation, at: clockTime() }
  }
  const looks = { clock: ownClock(), definitions }
  await keep(LOOKS, looks)
  return looks
}
