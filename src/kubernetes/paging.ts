/** Lists in pages, as objects, as metadata and as a table. */
import type { Collection, Page, Resource } from './client.types.ts'
import { parseExact } from './exact-json.ts'
import type { Exchange } from './exchange.ts'
import type { KubernetesObject } from './objects.ts'
import { collectionPath, withQuery } from './resources.ts'
import { apiError, inconsistentContinue, parseBody, requestLine } from './status-error.ts'

export interface ListBody {
  metadata?: { resourceVersion?: string; continue?: string; remainingItemCount?: number }
}

export interface PageOptions {
  limit?: number
  signal?: AbortSignal
  /** keeps integers beyond 2^53 as they are written, see `parseExact`; for objects that are kept or written back as a whole */
  exact?: boolean
}

const plain = 'application/json'
// Servers of aggregated APIs may know neither form, hence the plain one last.
const metadataOnly = `application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,${plain}`
const asTable = `application/json;as=Table;g=meta.k8s.io;v=v1,${plain}`

const accepts = { plain, metadata: metadataOnly, table: asTable }

/**
 * The bodies of a list, page by page. When a continue token has expired (410, after etcd's compaction, about five
 * minutes), it goes on with the token that the server gives in exchange: the rest of the list is then of a newer
 * moment. Throws the ApiError 410 where the server gives none.
 */
export async function* listBodies<T extends ListBody>(
  exchange: Exchange,
  resource: Resource,
  collection: Collection,
  form: keyof typeof accepts,
  options: PageOptions,
): AsyncGenerator<T, void, undefined> {
  const path = collectionPath(resource, collection.namespace)
  let token: string | undefined
  do {
    const response = await exchange.send({
      method: 'GET',
      path: withQuery(path, {
        limit: options.limit ?? 500,
        continue: token,
        labelSelector: collection.labelSelector,
        fieldSelector: collection.fieldSelector,
      }),
      headers: { accept: accepts[form] },
      ...(options.signal && { signal: options.signal }),
    })
    if (response.status === 410 && token !== undefined) {
      const next = inconsistentContinue(response.text)
      if (next === undefined || next === token) throw apiError(requestLine('GET', path), response)
      token = next
      continue
    }
    if (response.status !== 200) throw apiError(requestLine('GET', path), response)
    const body = parseBody<T>(requestLine('GET', path), response, options.exact === true ? parseExact : undefined)
    yield body
    token = body.metadata?.continue || undefined
  } while (token !== undefined)
}

/** A page of a list's body. Items of built-in kinds come without apiVersion and kind, which are the collection's. */
export function toPage<T extends KubernetesObject>(
  body: ListBody & { items?: T[] | null },
  collection: Collection,
  form: 'plain' | 'metadata',
): Page<T> {
  const identity = { apiVersion: collection.apiVersion, kind: collection.kind }
  const items = (body.items ?? []).map((item) => {
    if (form === 'metadata') return { ...identity, metadata: item.metadata } as T
    return item.kind && item.apiVersion ? item : { ...identity, ...item }
  })
  const { resourceVersion = '', continue: token, remainingItemCount } = body.metadata ?? {}
  return {
    items,
    resourceVersion,
    ...(token && { continue: token }),
    ...(remainingItemCount !== undefined && { remainingItemCount }),
  }
}
