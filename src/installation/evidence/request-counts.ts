/** How often each version of a resource has been asked for, by the metrics of the API server that answers. */
import type { KubernetesClient } from '../../kubernetes/client.types.ts'

const counter = 'apiserver_request_total{'

/**
 * Requests by version since that API server started. Undefined where its metrics cannot be read, which needs a right that few have
 * and that nothing else depends on. The text has some ten thousand lines: it is read line by line and never held.
 */
export async function requestCounts(
  client: KubernetesClient,
  resource: { group: string; plural: string },
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, number> | undefined> {
  const counts = new Map<string, number>()
  try {
    for await (const line of client.lines('/metrics', signal)) {
      const counted = countOf(line, resource)
      if (counted !== undefined) counts.set(counted.version, (counts.get(counted.version) ?? 0) + counted.requests)
    }
  } catch (error) {
    if (signal?.aborted) throw error
    return undefined
  }
  return counts
}

/** What one line of the metrics counts; undefined where that is no request for the resource. */
export function countOf(
  line: string,
  { group, plural }: { group: string; plural: string },
): { version: string; requests: number } | undefined {
  if (!line.startsWith(counter)) return undefined
  const end = line.lastIndexOf('}')
  const labels = new Map<string, string>()
  for (const [, name = '', value = ''] of line.slice(counter.length, end).matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    labels.set(name, value)
  }
  const version = labels.get('version')
  if (labels.get('group') !== group || labels.get('resource') !== plural || !version) return undefined
  const requests = Number(
    line
      .slice(end + 1)
      .trim()
      .split(' ')[0],
  )
  return Number.isFinite(requests) ? { version, requests } : undefined
}
