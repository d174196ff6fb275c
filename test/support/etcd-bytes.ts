/** Objects as etcd holds them, past the API server: how they are stored, and writes that an API server that is behind would do. */
import { request } from 'undici'
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import { storedBytes, storedKeys } from '../bench/migrate/stored-bytes.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Where the objects of a custom resource lie. */
export const prefixOf = (group: string, plural: string): string => `/registry/${group}/${plural}/`

/** How many objects under the prefix are stored in each version, such as `{ 'example.com/v1': 3 }`. */
export async function storedVersionsUnder(etcdUrl: string, prefix: string): Promise<Record<string, number>> {
  return (await storedBytes(etcdUrl, prefix)).byVersion
}

/** How many objects under the prefix were written after the revision. */
export async function writtenSince(etcdUrl: string, prefix: string, revision: number): Promise<number> {
  return (await storedBytes(etcdUrl, prefix, revision)).writtenSince
}

/** An object as etcd holds it. */
export interface StoredObject {
  object: AnyObject
  /** how often it was stored since it was made, that time included */
  writes: number
}

/** All objects under the prefix, by their keys. */
export async function storedObjects(etcdUrl: string, prefix: string): Promise<Map<string, StoredObject>> {
  const found = new Map<string, StoredObject>()
  for await (const { key, value, version } of storedKeys(etcdUrl, prefix)) {
    const object = JSON.parse(Buffer.from(value, 'base64').toString()) as AnyObject
    found.set(Buffer.from(key, 'base64').toString(), { object, writes: Number(version) })
  }
  return found
}

async function ask<T>(etcdUrl: string, what: 'range' | 'put', body: object): Promise<T> {
  const answer = await request(`${etcdUrl}/v3/kv/${what}`, { method: 'POST', body: JSON.stringify(body) })
  const text = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`etcd answered ${answer.statusCode}: ${text}`)
  return JSON.parse(text) as T
}

/** Stores the object in another version, as an API server would that has not heard of a flip. */
export async function storeAs(etcdUrl: string, key: string, apiVersion: string): Promise<void> {
  const found = await ask<{ kvs?: { value: string }[] }>(etcdUrl, 'range', { key: base64(key) })
  const value = found.kvs?.[0]?.value
  if (value === undefined) throw new Error(`etcd has no ${key}`)
  const object = JSON.parse(Buffer.from(value, 'base64').toString()) as Record<string, unknown>
  await ask(etcdUrl, 'put', { key: base64(key), value: base64(JSON.stringify({ ...object, apiVersion })) })
}
