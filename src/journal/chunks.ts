/** Values as the data of Secrets: gzip, cut below the size that etcd and the API server take with room to spare. Pure. */
import { gunzipSync, gzipSync } from 'node:zlib'
import { Refusal } from '../report/refusal.ts'

/** Bytes per Secret before base64. etcd refuses requests beyond 1.5 MiB, a Secret's data may hold 1 MiB. */
const CHUNK_BYTES = 700 * 1024

/** The value as base64 texts, each fit for one Secret, in order. */
export const toChunks = (value: unknown): string[] => {
  const packed = gzipSync(JSON.stringify(value))
  const chunks: string[] = []
  for (let start = 0; start < packed.length; start += CHUNK_BYTES)
    chunks.push(packed.subarray(start, start + CHUNK_BYTES).toString('base64'))
  return chunks
}

/** The value of chunks in order, read by `parse`. Throws a Refusal that names `record` where one is damaged or missing. */
export const fromChunks = <T>(
  chunks: string[],
  record: string,
  parse: (text: string) => unknown = (text) => JSON.parse(text) as unknown,
): T => {
  try {
    const packed = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk, 'base64')))
    return parse(gunzipSync(packed).toString('utf8')) as T
  } catch (cause) {
    throw damaged(record, cause)
  }
}

/** What was recorded is not what this tool wrote: it says so, rather than act on it. */
export const damaged = (record: string, cause: unknown): Refusal =>
  new Refusal('failed', `The record ${record} is damaged.`, {
    why: `${cause instanceof Error ? cause.message : String(cause)}. Somebody has changed it since it was written.`,
    next: 'restore the Secret from a back-up of the cluster; if there is none, delete the Secrets of that run',
    cause,
  })
