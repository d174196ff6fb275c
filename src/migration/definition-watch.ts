/**
 * A definition while its objects are rewritten: whether it is still the one that the migration is about. It is watched, so
 * that a change of it ends the work at once and costs two requests in five minutes.
 */
import { setTimeout as timer } from 'node:timers/promises'
import { storageFingerprint, storageVersionOf } from '../crds/versions.ts'
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

/** Which state of a spec it is, and what of it decides about stored objects. */
type SpecState = Pick<MigrationTarget, 'generation' | 'fingerprint'>

/**
 * Why the later state of a spec may not be taken for the earlier one. Each write that changes the spec counts `generation` up by
 * one, so two states next to each other hide nothing between them: one that is there and back again needs two writes. With the
 * same storage version all that the API server sets up anew for the kind stores objects as before, and so do the writes that
 * it still ends with what it had.
 */
export function whyNotSame(seen: SpecState, later: SpecState): string | undefined {
  if (later.generation === seen.generation) return undefined
  if (later.fingerprint !== seen.fingerprint) return 'in what decides how objects are stored'
  const unseen = later.generation - seen.generation
  // A state of before, that comes late.
  return unseen > 1 ? `${unseen} times, and not each of these changes was seen` : undefined
}

/** The target as it has been seen by now. Only for a state in which `changeOf` finds no change. */
export function seenIn(live: CustomResourceDefinition, target: MigrationTarget): MigrationTarget {
  const generation = Math.max(target.generation, live.metadata.generation ?? 0)
  return generation === target.generation ? target : { ...target, generation }
}

/**
 * What of the definition is no longer as it was seen last; undefined where nothing is that matters: not the authority of a
 * conversion webhook, which cert-manager writes, nor what clients print. Versions that left storedVersions are no change:
 * another migrator trims, too.
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
  const changed = changeOfSpec(live, target)
  if (changed !== undefined) return `the spec of ${definition} was changed ${changed}`
  const added = (live.status?.storedVersions ?? []).filter(
    (version) => version !== target.storageVersion && !target.storedVersions.includes(version),
  )
  return added.length > 0 ? `${definition} has ${added.join(', ')} in its storedVersions now` : undefined
}

function changeOfSpec(live: CustomResourceDefinition, target: MigrationTarget): string | undefined {
  const { generation = 0 } = live.metadata
  // The status of a definition with half a megabyte of schemas is written often.
  return generation === target.generation
    ? undefined
    : whyNotSame(target, { generation, fingerprint: storageFingerprint(live) })
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
  /** the target as the definition was seen last: how many harmless changes there were */
  readonly seen: MigrationTarget
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
  if (first.value === undefined || before !== undefined)
    throw new DefinitionChanged(before ?? 'it is gone', first.value)
  let seen = seenIn(first.value, target)
  const note = (live: CustomResourceDefinition | undefined): void => {
    const why = changeOf(live, seen)
    if (live === undefined || why !== undefined) throw new DefinitionChanged(why ?? 'it is gone', live)
    seen = seenIn(live, seen)
  }
  const ended = untilChanged(states, note).catch((error: unknown) => {
    if (!closing.signal.aborted) changed.abort(error)
  })
  return {
    changed: changed.signal,
    get requests() {
      return requests
    },
    get seen() {
      return seen
    },
    close: () => {
      closing.abort(new Error('the watch is over'))
      return ended
    },
  }
}

async function untilChanged(
  states: AsyncIterable<CustomResourceDefinition | undefined>,
  note: (live: CustomResourceDefinition | undefined) => void,
): Promise<void> {
  for await (const live of states) note(live)
}
