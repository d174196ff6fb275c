/**
 * Which fields of the release's objects another manager owns with another value, found out before anything is written: by
 * a dry run of each apply, on the object as it is, without force.
 */
import { INSTALLERS } from '../backup/take.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { ApiError } from '../kubernetes/errors.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import { nameOf } from '../plan/describe.ts'
import type { Plan } from '../plan/plan.types.ts'
import { referenceOf } from '../plan/reference.ts'
import { belongsToRelease, conflictsOf } from '../steps/conflicts.ts'

export interface ForeignFields {
  /** can be left to whoever owns them */
  kept: string[]
  /** make the release this release, so they cannot be left */
  taken: string[]
}

/** Looks at every object that the plan applies and that exists. Objects that may not be read or patched tell nothing here. */
export const foreignFields = async (
  client: KubernetesClient,
  plan: Plan,
  signal: AbortSignal,
): Promise<ForeignFields> => {
  const objects = plan.steps.flatMap((step) => (step.kind === 'apply' ? step.objects : []))
  const found = await Promise.all(objects.map(async (object) => conflictsWith(client, object, signal)))
  const all = found.flat()
  const told = (release: boolean): string[] =>
    all
      .filter(({ field }) => belongsToRelease(field) === release)
      .map(({ object, field, manager }) => `${nameOf(object)} ${field} (${manager})`)
  return { kept: told(false), taken: told(true) }
}

const conflictsWith = async (client: KubernetesClient, object: AnyObject, signal: AbortSignal) => {
  try {
    if ((await client.find(referenceOf(object), signal)) === undefined) return []
    await client.apply(object, { dryRun: true, signal })
    return []
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return conflictsOf(error.causes)
      .filter(({ manager }) => !INSTALLERS.includes(manager))
      .map((conflict) => ({ ...conflict, object }))
  }
}
