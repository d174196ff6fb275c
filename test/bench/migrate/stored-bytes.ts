/** What etcd really holds of a kind, read past the API server: no answer of that one says in which version an object is stored. */
import { request } from 'undici'

export interface StoredBytes {
  objects: number
  bytes: number
  /** objects by the apiVersion in their bytes */
  byVersion: Record<string, number>
  /** objects that were written after the revision that was asked for */
  writtenSince: number
}

/** One key as etcd's gateway gives it. */
export interface StoredKey {
  /** base64 */
  key: string
  /** base64 */
  value: string
  mod_revision: string
  /** how often it was written since it was made, that write included */
  version: string
}

interface RangeAnswer {
  header: { revision: string }
  kvs?: StoredKey[]
  more?: boolean
}

const pageSize = 500
const base64 = (value: string | Buffer): string => Buffer.from(value).toString('base64')

/** One page, over the JSON gateway of etcd's v3 API. Its 64 bit numbers are strings. */
async function range(etcdUrl: string, ask: Record<string, unknown>): Promise<RangeAnswer> {
  const { statusCode, body } = await request(`${etcdUrl}/v3/kv/range`, { method: 'POST', body: JSON.stringify(ask) })
  const text = await body.text()
  if (statusCode !== 200) throw new Error(`etcd answered ${statusCode}: ${text}`)
  return JSON.parse(text) as RangeAnswer
}

/** The first key behind all that begin with the prefix. */
function afterPrefix(prefix: string): Buffer {
  const end = Buffer.from(prefix)
  end[end.length - 1] = (end.at(-1) ?? 0) + 1
  return end
}

/** The revision that etcd is at now. */
export async function revisionNow(etcdUrl: string): Promise<number> {
  const { header } = await range(etcdUrl, { key: base64('/registry/'), keys_only: true, limit: '1' })
  return Number(header.revision)
}

/** The keys under a prefix, a page at a time, all pages of one revision. */
export async function* storedKeys(etcdUrl: string, prefix: string): AsyncGenerator<StoredKey, void, undefined> {
  const rangeEnd = base64(afterPrefix(prefix))
  let key = base64(prefix)
  for (let revision = '0'; ; ) {
    const page = await range(etcdUrl, { key, range_end: rangeEnd, limit: String(pageSize), revision })
    if (revision === '0') revision = page.header.revision
    yield* page.kvs ?? []
    const last = page.kvs?.at(-1)
    if (!page.more || last === undefined) return
    key = base64(Buffer.concat([Buffer.from(last.key, 'base64'), Buffer.from([0])]))
  }
}

/** Counts the objects under a prefix. */
export async function storedBytes(etcdUrl: string, prefix: string, since = 0): Promise<StoredBytes> {
  const counts: StoredBytes = { objects: 0, bytes: 0, byVersion: {}, writtenSince: 0 }
  for await (const { value, mod_revision } of storedKeys(etcdUrl, prefix)) {
    const bytes = Buffer.from(value, 'base64')
    const { apiVersion } = JSON.parse(bytes.toString()) as { apiVersion: string }
    counts.objects += 1
    counts.bytes += bytes.length
    counts.byVersion[apiVersion] = (counts.byVersion[apiVersion] ?? 0) + 1
    if (Number(mod_revision) > since) counts.writtenSince += 1
  }
  return counts
}
