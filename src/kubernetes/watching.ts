/** One watch: events until the server ends it. */
import type { Collection, Resource, WatchEvent } from './client.types.ts'
import { ConnectionError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import type { KubernetesObject } from './objects.ts'
import { collectionPath, withQuery } from './resources.ts'
import { requestLine, watchError } from './status-error.ts'
import { lines } from './watch-lines.ts'

export interface WatchOptions {
  resourceVersion: string
  timeoutSeconds?: number
  signal?: AbortSignal
}

const usualTimeout = 300
// A server ends a watch at its timeout; a connection that is silent beyond it is dead, however it looks.
const grace = 30

/**
 * Events from a resourceVersion on, bookmarks included. Returns when the server ends the watch or the connection
 * breaks: in both cases a watch goes on from the last resourceVersion seen. Throws ApiError, with reason Expired where
 * that is too old; throws the signal's reason when it aborts.
 */
export async function* watchEvents<T extends KubernetesObject>(
  exchange: Exchange,
  resource: Resource,
  collection: Collection,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const { signal } = options
  const timeoutSeconds = options.timeoutSeconds ?? usualTimeout
  const path = collectionPath(resource, collection.namespace)
  const dead = AbortSignal.timeout((timeoutSeconds + grace) * 1000)
  const stream = await exchange.open({
    method: 'GET',
    path: withQuery(path, {
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: options.resourceVersion,
      timeoutSeconds,
      labelSelector: collection.labelSelector,
      fieldSelector: collection.fieldSelector,
    }),
    headers: { accept: 'application/json' },
    signal: signal ? AbortSignal.any([signal, dead]) : dead,
  })
  try {
    for await (const line of lines(stream.body)) yield parseEvent<T>(line, requestLine('GET', path))
  } catch (error) {
    if (dead.aborted || error instanceof ConnectionError) return
    throw error
  }
}

function parseEvent<T>(line: string, request: string): WatchEvent<T> {
  const event = JSON.parse(line) as { type: WatchEvent['type'] | 'ERROR'; object: T }
  if (event.type === 'ERROR') throw watchError(request, event.object)
  return { type: event.type, object: event.object }
}
