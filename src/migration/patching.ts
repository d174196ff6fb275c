/**
 * One object at a time: the write that re-encodes it, and what its answer proves. Every write names the resourceVersion that
 * was read. So another one in the answer is of our own write; the same one means that the store left the write out, because
 * the object's bytes were current already; and 409 that somebody else wrote in between, whose write is not taken for ours.
 */
import type { KubernetesClient, RawResponse } from '../kubernetes/client.types.ts'
import { ApiError, ConnectionError } from '../kubernetes/errors.ts'
import type { KubernetesObject } from '../kubernetes/objects.ts'
import { collectionPath, objectPath, withQuery } from '../kubernetes/resources.ts'
import { apiError, parseBody, requestLine } from '../kubernetes/status-error.ts'
import { type ManagersPatch, managersPatch } from './managed-fields.ts'
import type { MigrationTarget, ObjectName, Verdict } from './migration.types.ts'
import type { PaceSample } from './pace.ts'
import { conflictsPerObject } from './retry-budget.ts'
import { explain, type Refused, unanswered } from './verdict.ts'

/** An object on its way to a verdict. */
export interface Work extends ObjectName {
  /** resourceVersion as last seen */
  revision: string
  generation: number | undefined
  managers: ManagersPatch | undefined
  /** without them the object would not be as it has to be; else they only make its write faster */
  managersNeeded: boolean
  /** it has to be looked at again before it is written */
  reread: boolean
  /** a write of ours got no clear answer, and may have been carried out */
  doubtful: boolean
  failed: number
  throttled: number
  conflicts: number
}

/** What became of one attempt. */
export type Attempt =
  | { verdict: Exclude<Verdict, 'failed'>; throughStatus: boolean; managersMoved: number; altered: boolean }
  | { verdict: undefined; refused: Refused }

interface Metadata {
  metadata?: KubernetesObject['metadata']
}

const accept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json'
const acceptList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'
const merge = 'application/merge-patch+json'
const jsonPatch = 'application/json-patch+json'
const fieldManager = 'kubectl-airunway'

export interface PatchingOptions {
  now: () => number
  /** told every answer */
  sample: (sample: PaceSample) => void
  staleVersions: readonly string[]
  renamableVersions: readonly string[]
  before?: (() => void | Promise<void>) | undefined
}

export class Patching {
  readonly #client: Pick<KubernetesClient, 'raw'>
  readonly #target: MigrationTarget
  readonly #options: PatchingOptions
  readonly #resource: Parameters<typeof objectPath>[0]
  readonly #storage: string
  readonly #stale: ReadonlySet<string>
  readonly #renamed: ReadonlySet<string>
  /** the latest write that has turned out to be of the time before the flip, by its resourceVersion */
  #oldUpTo = -1
  /** requests sent so far */
  requests = 0

  constructor(client: Pick<KubernetesClient, 'raw'>, target: MigrationTarget, options: PatchingOptions) {
    this.#client = client
    this.#target = target
    this.#options = options
    const { group, plural, kind, namespaced } = target
    this.#resource = { group, version: target.requestVersion, plural, kind, namespaced }
    this.#storage = `${group}/${target.storageVersion}`
    const named = (version: string): string => (version.includes('/') ? version : `${group}/${version}`)
    this.#stale = new Set(options.staleVersions.map(named))
    this.#renamed = new Set([...this.#stale, ...options.renamableVersions.map(named)])
    if (this.#renamed.has(this.#storage)) throw new Error(`${this.#storage} is the storage version: it cannot be stale`)
  }

  /** One page of the list, metadata only. */
  page(token: string | undefined, limit: number): Promise<RawResponse> {
    const path = withQuery(collectionPath(this.#resource), { limit, continue: token })
    return this.#send('GET', path, acceptList)
  }

  /** An object of the list as work. */
  work({ metadata }: Metadata): Work | undefined {
    if (!metadata?.resourceVersion) return undefined
    const { name, namespace } = metadata
    return {
      ...(namespace !== undefined && { namespace }),
      name,
      ...this.#seen(metadata),
      reread: false,
      doubtful: false,
      failed: 0,
      throttled: 0,
      conflicts: 0,
    }
  }

  /**
   * Those that were written last come first, where it matters which of them are old: if one is, so are all that were written
   * before it (resourceVersions grow, and a storage version is set once).
   */
  inOrder(works: readonly Work[]): readonly Work[] {
    if (this.#renamed.size === this.#stale.size) return works
    return works.toSorted((one, other) => Number(other.revision) - Number(one.revision))
  }

  /** Writes the object once, through /status where the main endpoint refuses for a reason of its own. */
  async attempt(work: Work): Promise<Attempt> {
    if (work.reread) {
      const looked = await this.#look(work)
      if (looked) return looked
    }
    let main = await this.#write(work)
    if (main.verdict === undefined && isAdmission(main.refused) && this.#forgoesNames(work))
      main = await this.#write(work)
    if (main.verdict !== undefined || !this.#target.statusSubresource || !isAdmission(main.refused)) return main
    const status = await this.#write(work, 'status')
    // Why the main endpoint refused is what people have to know; the way round is ours.
    if (status.verdict === undefined && ['refused', 'stop', 'gone'].includes(status.refused.way)) return main
    return status
  }

  /** Who lets nothing pass but what changes nothing was tried with just that. From now on it is written so. */
  #forgoesNames(work: Work): boolean {
    if (work.managersNeeded || !this.#patch(work).renames) return false
    work.managers = undefined
    return true
  }

  async #look(work: Work): Promise<Attempt | undefined> {
    const { name, namespace } = work
    const answer = await this.#answered(() => this.#send('GET', objectPath(this.#resource, namespace, name), accept))
    if ('refused' in answer) {
      if (answer.refused.way === 'gone') return done('gone')
      return { verdict: undefined, refused: answer.refused }
    }
    const metadata = this.#metadataIn('GET', answer)
    // What was lost on its way changed nothing.
    if (metadata.resourceVersion === work.revision) work.doubtful = false
    Object.assign(work, this.#seen(metadata))
    work.reread = false
    return undefined
  }

  #metadataIn(method: string, answer: { status: number; text: string }): KubernetesObject['metadata'] {
    const request = requestLine(method, collectionPath(this.#resource))
    const body = parseBody<Metadata | null>(request, answer)
    if (body?.metadata?.resourceVersion) return body.metadata
    const message = 'the answer is no object: something between here and the API server answered for it'
    throw new ApiError({ code: answer.status, reason: 'InvalidAnswer', message, request })
  }

  async #write(work: Work, subresource?: 'status'): Promise<Attempt> {
    const { name, namespace } = work
    await this.#options.before?.()
    const path = `${objectPath(this.#resource, namespace, name, subresource)}?fieldManager=${fieldManager}`
    const { body, type, renames } = this.#patch(work)
    const answer = await this.#answered(() => this.#send('PATCH', path, accept, body, type))
    if ('refused' in answer) return this.#refused(work, answer.refused, type)
    const { resourceVersion, generation } = this.#metadataIn('PATCH', answer)
    const changed = resourceVersion !== work.revision
    // One that is renamed changes in any case, and one that was doubtful may have been changed before.
    if (changed && !renames && !work.doubtful && work.conflicts < conflictsPerObject)
      this.#oldUpTo = Math.max(this.#oldUpTo, Number(work.revision))
    return {
      verdict: changed || work.doubtful ? 'rewritten' : 'unchanged',
      throughStatus: subresource !== undefined,
      // A write to /status leaves managedFields of the rest as they are.
      managersMoved: changed && renames && subresource === undefined ? (work.managers?.moved ?? 0) : 0,
      // On the resourceVersion that was read it is nobody else's change.
      altered: changed && generation !== work.generation && work.conflicts < conflictsPerObject,
    }
  }

  #refused(work: Work, refused: Refused, type: string): Attempt {
    if (refused.way === 'gone') return done('gone')
    // An index of the patch leads nowhere any more: the object has been written since.
    const misfit = type === jsonPatch && refused.cause === 'schema' && refused.message.includes('rejected our request')
    if (refused.way === 'conflict' || misfit) {
      work.conflicts += 1
      work.reread = true
      return { verdict: undefined, refused: { ...refused, cause: 'conflict', way: 'conflict' } }
    }
    // Carried out or not: a look tells what the object is now, but no longer by whom.
    if (refused.way === 'transient' && refused.cause !== 'webhook') {
      work.doubtful = true
      work.reread = true
    }
    return { verdict: undefined, refused }
  }

  // An object that is written all the time would never be met: the last write asks for no resourceVersion, and is counted
  // as if it had changed something, unless it provably has not.
  #patch({ managers, managersNeeded, revision, conflicts }: Work): { body: string; type: string; renames: boolean } {
    const last = conflicts >= conflictsPerObject
    if (managers && (managersNeeded || (!last && Number(revision) <= this.#oldUpTo)))
      return { body: JSON.stringify(managers.operations), type: jsonPatch, renames: true }
    const body = last ? '{}' : `{"metadata":{"resourceVersion":${JSON.stringify(revision)}}}`
    return { body, type: merge, renames: false }
  }

  #seen(metadata: KubernetesObject['metadata']): Pick<Work, 'revision' | 'generation' | 'managers' | 'managersNeeded'> {
    const managers = this.#renamed.size > 0 ? managersPatch(metadata, this.#renamed, this.#storage) : undefined
    const managersNeeded = [...(managers?.from ?? [])].some((version) => this.#stale.has(version))
    return { revision: metadata.resourceVersion ?? '', generation: metadata.generation, managers, managersNeeded }
  }

  async #answered(send: () => Promise<RawResponse>): Promise<RawResponse | { refused: Refused }> {
    try {
      const answer = await send()
      if (answer.status >= 200 && answer.status <= 299) return answer
      return { refused: explain(apiError('', answer)) }
    } catch (error) {
      if (error instanceof ConnectionError) return { refused: unanswered(error) }
      throw error
    }
  }

  async #send(
    method: 'GET' | 'PATCH',
    path: string,
    form: string,
    body?: string,
    contentType?: string,
  ): Promise<RawResponse> {
    const startedAt = this.#options.now()
    this.requests += 1
    try {
      const answer = await this.#client.raw({
        method,
        path,
        accept: form,
        once: true,
        ...(body !== undefined && { body }),
        ...(contentType !== undefined && { contentType }),
      })
      if (method === 'PATCH' || answer.status >= 400) this.#sample(startedAt, answer)
      return answer
    } catch (error) {
      this.#options.sample({ startedAt, endedAt: this.#options.now(), outcome: 'failed' })
      throw error
    }
  }

  #sample(startedAt: number, { status, headers }: RawResponse): void {
    const endedAt = this.#options.now()
    const outcome = status === 429 ? 'throttled' : status >= 500 ? 'failed' : 'answered'
    const wish = status === 429 || status === 503 ? headers['retry-after'] : undefined
    const retryAfterMs = wish !== undefined && /^\d+$/.test(wish) ? Number(wish) * 1000 : undefined
    this.#options.sample({ startedAt, endedAt, outcome, ...(retryAfterMs !== undefined && { retryAfterMs }) })
  }
}

const done = (verdict: 'gone'): Attempt => ({ verdict, throughStatus: false, managersMoved: 0, altered: false })

// What admission refuses at the main endpoint is often not asked at /status: few webhooks and policies are registered there.
const isAdmission = ({ cause }: Refused): boolean => cause === 'webhook' || cause === 'policy'
