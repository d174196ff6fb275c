/**
 * Asks beforehand whether writes will be refused: an empty patch as a dry run goes through authorization, webhooks, policies and
 * validation as the real one does. It says nothing about what is stored, for it is answered before the store is reached.
 */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { ConnectionError } from '../kubernetes/errors.ts'
import type { KubernetesObject } from '../kubernetes/objects.ts'
import { objectPath, withQuery } from '../kubernetes/resources.ts'
import { apiError, requestLine } from '../kubernetes/status-error.ts'
import { Candidates } from './denials-candidates.ts'
import { DenialCount } from './denials-count.ts'
import type { MigrationTarget, ObjectName } from './migration.types.ts'
import type { DenialReport } from './survey.types.ts'
import { explain, type Refused, unanswered } from './verdict.ts'

export interface DenialOptions {
  /** tries all objects, not a sample */
  all?: boolean
  /** how many are tried, besides those that are terminating or paused; 20 unless told otherwise */
  sample?: number
  /** an annotation that marks objects which their operator leaves alone */
  pausedAnnotation?: string
  onProgress?: (place: { checked: number; of: number }) => void
  signal?: AbortSignal
}

const usualSample = 20
const inFlight = 4
const attempts = 3
const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json'

/** Tries writes as dry runs and tells refusals by who refused. Writes nothing. Throws ApiError where objects cannot be listed. */
export async function denialsOf(
  client: KubernetesClient,
  target: MigrationTarget,
  options: DenialOptions = {},
): Promise<DenialReport> {
  const count = new DenialCount()
  const tries = { client, target, count, options }
  const { group, requestVersion, kind } = target
  const collection = { apiVersion: `${group}/${requestVersion}`, kind }
  const candidates = new Candidates(
    options.all === true ? 0 : (options.sample ?? usualSample),
    options.pausedAnnotation,
  )
  let objects = 0
  for await (const page of client.metadataPages(collection, { ...(options.signal && { signal: options.signal }) })) {
    const of = objects + page.items.length + (page.remainingItemCount ?? 0)
    if (options.all === true) await tryAll(tries, page.items.map(nameOf), of)
    else candidates.see(page.items, of)
    objects += page.items.length
    if (!count.stopped) continue
    objects = of
    break
  }
  const chosen = candidates.chosen()
  if (options.all !== true) await tryAll(tries, chosen, chosen.length)
  return { definition: target.definition, objects, ...count.result() }
}

interface Tries {
  client: KubernetesClient
  target: MigrationTarget
  count: DenialCount
  options: DenialOptions
}

async function tryAll(tries: Tries, names: readonly ObjectName[], of: number): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < names.length && !tries.count.stopped) {
      const name = names[next++]
      if (name !== undefined) await tryOne(tries, name)
      tries.options.onProgress?.({ checked: tries.count.checked, of })
    }
  }
  await Promise.all(Array.from({ length: Math.min(inFlight, names.length) }, work))
}

async function tryOne({ client, target, count, options }: Tries, name: ObjectName): Promise<void> {
  const refused = await dryRun(client, target, name, undefined, options.signal)
  if (refused === undefined || refused.way === 'conflict') {
    // Somebody wrote the object just then; the real write does not mind.
    count.accepted()
  } else if (refused.way === 'gone') {
    count.gone()
  } else if (refused.dryRunUnsupported) {
    count.unanswered(name, refused.subject ?? 'unknown')
  } else {
    count.refused(name, refused, await wayRound(client, target, name, refused, options.signal))
  }
}

/** Webhooks and policies are rarely about /status, and a write there re-encodes the whole object as well. */
async function wayRound(
  client: KubernetesClient,
  target: MigrationTarget,
  name: ObjectName,
  { cause }: Refused,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (!target.statusSubresource || (cause !== 'webhook' && cause !== 'policy')) return false
  return (await dryRun(client, target, name, 'status', signal)) === undefined
}

/** Undefined where it would be accepted. A dry run may be repeated whatever became of it. */
async function dryRun(
  client: KubernetesClient,
  target: MigrationTarget,
  { namespace, name }: ObjectName,
  subresource: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Refused | undefined> {
  const { group, requestVersion: version, plural, kind, namespaced } = target
  const path = objectPath({ group, version, plural, kind, namespaced }, namespace, name, subresource)
  let refused: Refused | undefined
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      const response = await client.raw({
        method: 'PATCH',
        path: withQuery(path, { dryRun: 'All' }),
        body: {},
        contentType: 'application/merge-patch+json',
        accept: metadataOnly,
        ...(signal && { signal }),
      })
      if (response.status < 300) return undefined
      refused = explain(apiError(requestLine('PATCH', path), response))
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error
      refused = unanswered(error)
    }
    if (refused.way !== 'transient') return refused
  }
  return refused
}

const nameOf = ({ metadata: { namespace, name } }: KubernetesObject): ObjectName => ({
  ...(namespace !== undefined && { namespace }),
  name,
})
