/**
 * Taking the old versions out of status.storedVersions. The API server checks nothing there: it accepts a list without
 * versions that objects are stored in, and from the moment such a version leaves the spec no object of the kind can be read.
 * So it is written only on proof, and on the resourceVersion that was looked at.
 */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { ApiError, ConnectionError, isConflict } from '../kubernetes/errors.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { changeOf, definitionKind, realWait, seenIn, type Wait } from './definition-watch.ts'
import type { MigrationTarget, PassResult } from './migration.types.ts'
import { whyNoProof } from './prove.ts'

/** `trim`: on this resourceVersion. `done`: nothing is left to trim. `later`: another migrator is at it. */
export type TrimDecision =
  | { decision: 'trim'; resourceVersion: string }
  | { decision: 'done' }
  | { decision: 'later'; why: string }
  | { decision: 'changed'; why: string }
  | { decision: 'refused'; why: string }

/** What the passes over the objects came to. */
export interface Evidence {
  /** oldest first: the last one counts */
  passes: readonly PassResult[]
  /** since when no write under an old version could land, in milliseconds */
  lateEnd: number
}

/** Whether storedVersions may become the storage version alone. */
export function mayTrim(
  live: CustomResourceDefinition | undefined,
  target: MigrationTarget,
  { passes, lateEnd }: Evidence,
): TrimDecision {
  const changed = changeOf(live, target)
  if (live === undefined || changed !== undefined) return { decision: 'changed', why: changed ?? 'it is gone' }
  const last = passes.at(-1)
  if (last === undefined) return { decision: 'refused', why: 'no pass has looked at the objects' }
  const unproved = whyNoProof(last, lateEnd)
  if (unproved !== undefined) return { decision: 'refused', why: `the last pass proves nothing: ${unproved}` }
  const { conditions = [], storedVersions = [] } = live.status ?? {}
  if (conditions.some(({ type, status }) => type === 'StorageMigrating' && status === 'True')) {
    return { decision: 'later', why: "the cluster's own migrator is working on it" }
  }
  if (storedVersions.length === 1 && storedVersions[0] === target.storageVersion) return { decision: 'done' }
  const { resourceVersion } = live.metadata
  if (resourceVersion === undefined || resourceVersion === '') {
    return { decision: 'refused', why: 'it was read without a resourceVersion' }
  }
  return { decision: 'trim', resourceVersion }
}

export interface TrimOptions {
  wait?: Wait
  signal?: AbortSignal
  /** asked before the write; what it throws is thrown */
  before?: (() => void | Promise<void>) | undefined
}

export interface TrimResult {
  outcome: 'trimmed' | 'already' | 'changed' | 'refused'
  why?: string
  /** as read last */
  storedVersions: string[]
  requests: number
}

const mostLooks = 12

/**
 * Trims and reads back. What was read decides anew after each conflict, and after an answer that was lost; `seen` is the target
 * as the definition was seen last. Throws where the definition cannot be read.
 */
export async function trim(
  client: KubernetesClient,
  seen: MigrationTarget,
  evidence: Evidence,
  { wait = realWait, signal, before }: TrimOptions = {},
): Promise<TrimResult> {
  let target = seen
  const reference = { ...definitionKind, name: target.definition }
  let requests = 0
  let written: Written = { way: 'conflict' }
  for (let look = 1; ; look++) {
    requests += 1
    const live = await client.find<CustomResourceDefinition>(reference, signal)
    const storedVersions = [...(live?.status?.storedVersions ?? [])]
    const found = mayTrim(live, target, evidence)
    if (found.decision === 'done')
      return { outcome: written.way === 'conflict' ? 'already' : 'trimmed', storedVersions, requests }
    if (found.decision === 'changed' || found.decision === 'refused') {
      return { outcome: found.decision, why: found.why, storedVersions, requests }
    }
    if (live !== undefined) target = seenIn(live, target)
    if (look > mostLooks) return { outcome: 'refused', why: whyNot(found, written), storedVersions, requests }
    if (found.decision === 'trim') {
      await before?.()
      requests += 1
      written = await write(client, target, found.resourceVersion, signal)
      if (written.way === 'refused') return { outcome: 'refused', why: written.why, storedVersions, requests }
      // The next look is the proof that it was written.
      if (written.way === 'done') continue
    }
    await wait(Math.min(100 * 2 ** look, 2_000), signal)
  }
}

const whyNot = (found: TrimDecision, written: Written): string => {
  if (found.decision === 'later') return found.why
  return 'why' in written ? written.why : 'somebody else writes the definition all the time'
}

/** `conflict`: somebody else wrote in between. `unclear`: it may have been carried out, the next look tells. */
type Written = { way: 'done' | 'conflict' } | { way: 'unclear' | 'refused'; why: string }

async function write(
  client: KubernetesClient,
  target: MigrationTarget,
  resourceVersion: string,
  signal: AbortSignal | undefined,
): Promise<Written> {
  const reference = { ...definitionKind, name: target.definition }
  const body = { metadata: { resourceVersion }, status: { storedVersions: [target.storageVersion] } }
  try {
    await client.patch(reference, body, { type: 'merge', subresource: 'status', ...(signal && { signal }) })
    return { way: 'done' }
  } catch (error) {
    if (isConflict(error)) return { way: 'conflict' }
    if (error instanceof ConnectionError) return { way: 'unclear', why: error.message }
    if (!(error instanceof ApiError)) throw error
    const why = `status.storedVersions was not trimmed: ${error.message}`
    return { way: error.code >= 500 ? 'unclear' : 'refused', why }
  }
}
