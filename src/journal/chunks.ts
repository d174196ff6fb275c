/** Values as the data of Secrets: gzip, cut below the size that etcd and the API server take with room to spare. Pure. */
import { gunzipSync, gzipSync } from 'node:zlib'

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

/** The value of chunks in order. Throws where one is damaged or missing. */
export const fromChunks = <T>(chunks: string[]): T =>
  JSON.parse(gunzipSync(Buffer.concat(chunks.map((chunk) => Buffer.from(chunk, 'base64')))).toString('utf8')) as T
