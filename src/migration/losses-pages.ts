/** Whole objects in one version, page by page, in memory that does not grow with them. */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { AnyObject } from '../kubernetes/objects.ts'
import { collectionPath, withQuery } from '../kubernetes/resources.ts'
import { apiError, inconsistentContinue, parseBody, requestLine } from '../kubernetes/status-error.ts'
import type { MigrationTarget } from './migration.types.ts'

interface WholePage {
  items?: AnyObject[] | null
  metadata?: { continue?: string }
}

// A custom resource may have 1.5 MB, most have 2 kB.
const [firstPage, longestPage, pageBytes] = [100, 500, 4_000_000]

/**
 * Pages of all objects, each of about 4 MB at most by the size of those before. Goes on with the token that the server gives in
 * exchange for an expired one. Throws ApiError.
 */
export async function* wholeObjects(
  client: Pick<KubernetesClient, 'raw'>,
  { group, plural, kind, namespaced }: MigrationTarget,
  version: string,
  signal?: AbortSignal,
): AsyncGenerator<AnyObject[], void, undefined> {
  const path = collectionPath({ group, version, plural, kind, namespaced })
  const request = requestLine('GET', path)
  let limit = firstPage
  let token: string | undefined
  do {
    const response = await client.raw({
      method: 'GET',
      path: withQuery(path, { limit, continue: token }),
      ...(signal && { signal }),
    })
    if (response.status === 410 && token !== undefined) {
      const next = inconsistentContinue(response.text)
      if (next === undefined || next === token) throw apiError(request, response)
      token = next
      continue
    }
    if (response.status !== 200) throw apiError(request, response)
    const { items, metadata } = parseBody<WholePage>(request, response)
    limit = nextLimit(limit, items?.length ?? 0, response.text.length)
    yield items ?? []
    token = metadata?.continue || undefined
  } while (token !== undefined)
}

/** At most twice as many as last time: the objects to come may be larger. */
export function nextLimit(limit: number, objects: number, characters: number): number {
  if (objects === 0) return limit
  const fitting = Math.floor(pageBytes / (characters / objects))
  return Math.max(1, Math.min(fitting, 2 * limit, longestPage))
}
