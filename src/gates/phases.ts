/**
 * Did a ModelDeployment fail that had not failed before? Where a release cannot read what a provider offers, its controller
 * says so in the phase, refuses every change of the object, and reconciles it all the same: so no other proof shows it.
 */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import type { WorkloadTarget } from '../plan/plan.types.ts'

/** One ModelDeployment, reduced to what is compared. */
export interface Phase {
  name: string
  uid: string
  failed: boolean
}

/** The phases of all ModelDeployments, page by page, so that memory does not grow with their size. */
export const readPhases = async (
  client: KubernetesClient,
  { apiVersion, kind }: WorkloadTarget,
  signal: AbortSignal,
): Promise<Phase[]> => {
  const phases: Phase[] = []
  for await (const page of client.pages<AnyObject>({ apiVersion, kind }, { signal }))
    for (const { metadata, ...fields } of page.items) {
      const status = fields['status'] as { phase?: string } | undefined
      phases.push({
        name: `${metadata.namespace ?? ''}/${metadata.name}`,
        uid: metadata.uid ?? '',
        // One that is being deleted, with its namespace, fails where nothing can be created for it any more.
        failed: status?.phase === 'Failed' && metadata.deletionTimestamp === undefined,
      })
    }
  return phases
}

/** Those that have failed and were there before without having failed, by name. Pure. */
export const failedSince = (before: Phase[], after: Phase[]): string[] => {
  const well = new Set(before.flatMap(({ uid, failed }) => (failed ? [] : [uid])))
  return after.flatMap(({ uid, failed, name }) => (failed && well.has(uid) ? [name] : []))
}
