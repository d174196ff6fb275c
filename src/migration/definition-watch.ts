/**
 * A definition while its objects are rewritten: whether it is still the one that the migration is about. It is watched, so
 * that a change of it ends the work at once and costs two requests in five minutes.
 */
import { setTimeout as timer } from 'node:timers/promises'
import { storageVersionOf } from '../crds/versions.ts'
import type { Collection, KubernetesClient } from '../kubernetes/client.types.ts'
import { ApiError, ConnectionError } from '../kubernetes/errors.ts'
import type { CustomResourceDefinition, KubernetesObject } from '../kubernetes/objects.ts'
import type { MigrationTarget } from './migration.types.ts'

export const definitionKind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }

/** The definition is not the one that the migration began with. */
export class DefinitionChanged extends Error {
  override readonly name = 'DefinitionChanged'
  /** as it is now; undefined where it is gone */
  readonly live: CustomResourceDefinition | undefined

  constructor(why: string, live: CustomResourceDefinition | undefined) {
    super(why)
    this.live = live
  }
}

/**
 * What of the definition is no longer as it was; undefined where nothing is that matters. Each change of the spec counts
 * `generation` up, there and back as well. Versions that left storedVersions are no change: another migrator trims, too.
 */
export function changeOf(live: CustomResourceDefinition | undefined, target: MigrationTarget): string | undefined {
  const { definition } = target
  if (live === undefined) return `${definition} was deleted`
  if (live.metadata.uid !== target.uid) return `${definition} was deleted and made again`
  if (live.metadata.deletionTimestamp !== undefined) return `${definition} is being deleted`
  const storage = storageVersionOf(live)
  if (storage !== target.storageVersion) {
    return `the storage version of ${definition} is ${storage ?? 'none'} now, it was ${target.storageVersion}`
  }
  if (live.metadata.generation !== target.generation) return `the spec of ${definition} was changed`
  const added = (live.status?.storedVersions ?? []).filter(
    (version) => version !== target.storageVersion && !target.storedVersions.includes(version),
  )
  return added.length > 0 ? `${definition} has ${added.join(', ')} in its storedVersions now` : undefined
}

/** Milliseconds to wait, ended early by the signal with its reason. */
export type Wait = (milliseconds: number, signal?: AbortSignal) => Promise<void>

/** The real clock. */
export const realWait: Wait = async (milliseconds, signal) => {
  try {
    await timer(milliseconds, undefined, signal && { signal })
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  }
}

export interface FollowOptions {
  signal?: AbortSignal
  wait?: Wait
  /** told each request */
  asked?: () => void
}

const longestPause = 10_000

/**
 * The one object that the collection selects, as it is now and after each change; undefined where there is none. A watch
 * that breaks or ends goes on where it was, one that is too old begins with a list. Throws what the first list throws,
 * what will not pass by itself, and the signal's reason.
 */
export async function* followed<T extends KubernetesObject>(
  client: KubernetesClient,
  collection: Collection,
  { signal, wait = realWait, asked }: FollowOptions,
): AsyncGenerator<T | undefined, never, undefined> {
  const until = signal ? { signal } : {}
  const list = async (): Promise<{ object: T | undefined; resourceVersion: string }> => {
    asked?.()
    for await (const page of client.pages<T>(collection, until)) {
      return { object: page.items[0], resourceVersion: page.resourceVersion }
    }
    throw new Error('a list has at least one page')
  }
  let { object, resourceVersion } = await list()
  yield object
  for (let quiet = 0; ; quiet++) {
    try {
      if (resourceVersion === '') {
        ;({ object, resourceVersion } = await list())
        yield object
      }
      asked?.()
      for await (const event of client.watch<T>(collection, { resourceVersion, ...until })) {
        quiet = 0
        resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion
        if (event.type !== 'BOOKMARK') yield event.type === 'DELETED' ? undefined : event.object
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof ApiError && error.code === 410) resourceVersion = ''
      else if (!willPass(error)) throw error
    }
    // Nothing is missed meanwhile: the watch goes on from the last resourceVersion.
    await wait(Math.min(250 * 2 ** Math.min(quiet, 10), longestPause), signal)
  }
}

const willPass = (error: unknown): boolean =>
  error instanceof ConnectionError || (error instanceof ApiError && (error.code === 429 || error.code >= 500))

export interface DefinitionWatch {
  /** aborted with DefinitionChanged, or with the reason why it cannot be watched any more */
  readonly changed: AbortSignal
  /** sent so far */
  readonly requests: number
  close(): Promise<void>
}

/** Watches the definition until `close`. It has been looked at when this returns; throws DefinitionChanged where it is another. */
export async function watchDefinition(
  client: KubernetesClient,
  target: MigrationTarget,
  { signal, wait }: Pick<FollowOptions, 'signal' | 'wait'> = {},
): Promise<DefinitionWatch> {
  const closing = new AbortController()
  const changed = new AbortController()
  let requests = 0
  const states = followed<CustomResourceDefinition>(
    client,
    { ...definitionKind, fieldSelector: `metadata.name=${target.definition}` },
    {
      signal: signal ? AbortSignal.any([signal, closing.signal]) : closing.signal,
      ...(wait && { wait }),
      asked: () => {
        requests += 1
      },
    },
  )
  const first = await states.next()
  const before = changeOf(first.value, target)
  if (before !== undefined) throw new DefinitionChanged(before, first.value)
  const ended = untilChanged(states, target).catch((error: unknown) => {
    if (!closing.signal.aborted) changed.abort(error)
  })
  return {
    changed: changed.signal,
    get requests() {
      return requests
    },
    close: () => {
      closing.abort(new Error('the watch is over'))
      return ended
    },
  }
}

async function untilChanged(
  states: AsyncIterable<CustomResourceDefinition | undefined>,
  target: MigrationTarget,
): Promise<void> {
  for await (const live of states) {
    const why = changeOf(live, target)
    if (why !== undefined) throw new DefinitionChanged(why, live)
  }
}
