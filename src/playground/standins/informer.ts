import { setTimeout as delay } from 'node:timers/promises'
import type { Collection, KubernetesClient, WatchEvent } from '../../kubernetes/client.types.ts'
import { ApiError } from '../../kubernetes/errors.ts'
import type { AnyObject, KubernetesObject } from '../../kubernetes/objects.ts'
import type { Log } from './log.ts'

/** A local copy of a collection, kept up to date by list and watch. */
export interface Informer<T extends KubernetesObject> {
  get(key: string): T | undefined
  items(): T[]
  readonly synced: boolean
  /** Resolves after the first complete list; never where the kind is not served. */
  whenSynced(): Promise<void>
}

export interface InformerOptions<T extends KubernetesObject> {
  client: KubernetesClient
  collection: Collection
  log: Log
  signal: AbortSignal
  /** Called for each object that came, changed or went. */
  onEvent: (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T) => void
  /** A typed client's decoding: throws where the object does not fit, which fails the whole list. */
  decode?: (object: AnyObject) => T
}

/** `namespace/name`, or the name of a cluster-scoped object. */
export const objectKey = (object: KubernetesObject): string =>
  object.metadata.namespace ? `${object.metadata.namespace}/${object.metadata.name}` : object.metadata.name

const firstRetryMilliseconds = 800
const longestRetryMilliseconds = 30_000

/**
 * Starts an informer as client-go's reflector works: list, watch, list again after an expired resource version. Errors
 * (the kind is not served, access denied, an object that does not decode) are logged and retried for ever, from 800 ms
 * up to 30 s apart; the process looks healthy meanwhile.
 */
export function startInformer<T extends KubernetesObject = AnyObject>(options: InformerOptions<T>): Informer<T> {
  const store = new Map<string, T>()
  const first = Promise.withResolvers<void>()
  const retry = { milliseconds: firstRetryMilliseconds }
  let synced = false
  const decode = options.decode ?? ((object: AnyObject): T => object as unknown as T)

  const remember = (object: T): void => {
    const key = objectKey(object)
    const known = store.get(key)
    store.set(key, object)
    if (known?.metadata.resourceVersion === object.metadata.resourceVersion) return
    options.onEvent(known ? 'MODIFIED' : 'ADDED', object)
  }
  const forget = (object: T): void => {
    if (store.delete(objectKey(object))) options.onEvent('DELETED', object)
  }
  const relist = async (): Promise<string> => {
    const found: T[] = []
    let resourceVersion = ''
    for await (const page of options.client.pages(options.collection, { signal: options.signal })) {
      for (const item of page.items) found.push(decode(withKind(item, options.collection)))
      resourceVersion = page.resourceVersion
    }
    const keys = new Set(found.map(objectKey))
    for (const [key, object] of store) if (!keys.has(key)) forget(object)
    for (const object of found) remember(object)
    synced = true
    retry.milliseconds = firstRetryMilliseconds
    first.resolve()
    return resourceVersion
  }
  const apply = (event: WatchEvent): string => {
    if (event.type === 'DELETED') forget(decode(event.object))
    else if (event.type !== 'BOOKMARK') remember(decode(event.object))
    return event.object.metadata.resourceVersion ?? ''
  }
  const follow = async (): Promise<void> => {
    let resourceVersion = await relist()
    while (!options.signal.aborted) {
      const watch = { resourceVersion, timeoutSeconds: 300, signal: options.signal }
      for await (const event of options.client.watch(options.collection, watch)) {
        resourceVersion = apply(event) || resourceVersion
      }
      await delay(50, undefined, { signal: options.signal })
    }
  }
  void keepFollowing(follow, retry, options)
  return {
    get: (key) => store.get(key),
    items: () => [...store.values()],
    get synced() {
      return synced
    },
    whenSynced: () => first.promise,
  }
}

async function keepFollowing<T extends KubernetesObject>(
  follow: () => Promise<void>,
  retry: { milliseconds: number },
  { collection, log, signal }: InformerOptions<T>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await follow()
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof ApiError && error.code === 410)) {
        log.error('Failed to watch', error, { type: `${collection.apiVersion}, Kind=${collection.kind}` })
      }
    }
    await delay(retry.milliseconds, undefined, { signal }).catch(() => undefined)
    retry.milliseconds = Math.min(retry.milliseconds * 2, longestRetryMilliseconds)
  }
}

// items of a list carry no apiVersion and kind of their own where the API server left them out
const withKind = (item: AnyObject, { apiVersion, kind }: Collection): AnyObject => ({
  ...item,
  apiVersion: item.apiVersion ?? apiVersion,
  kind: item.kind ?? kind,
})
