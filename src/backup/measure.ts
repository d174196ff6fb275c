/** How big a back-up will be, before it is taken. */
import { gzipSync } from 'node:zlib'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { ObjectReference } from '../kubernetes/objects.ts'
import { takeBackup } from './take.ts'

export interface BackupSize {
  objects: number
  /** as it is kept in the records: compressed */
  bytes: number
}

/**
 * Reads what the back-up will hold, page by page without keeping it, and compresses it as the records do. Whole collections
 * compress a little better in one piece, so this is at most a little more than what is written. Throws what reading throws.
 */
export const measureBackup = async (
  client: KubernetesClient,
  wanted: { objects: ObjectReference[]; collections: { apiVersion: string; kind: string }[] },
  context: { now: Date; signal: AbortSignal },
): Promise<BackupSize> => {
  const single = await takeBackup(client, { objects: wanted.objects, collections: [] }, context)
  const size: BackupSize = { objects: single.objects.length, bytes: packed(single) }
  for (const collection of wanted.collections) {
    if ((await client.findResource(collection.apiVersion, collection.kind)) === undefined) continue
    for await (const { items } of client.pages(collection, { signal: context.signal })) {
      size.objects += items.length
      size.bytes += items.length === 0 ? 0 : packed(items)
    }
  }
  return size
}

const packed = (value: unknown): number => gzipSync(JSON.stringify(value)).length
