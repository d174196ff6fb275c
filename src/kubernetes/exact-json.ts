/**
 * JSON whose integers stay as they are written: those of the API server have 64 bits, and beyond 2^53 a number of JavaScript
 * is another one. For what is written back or kept as a whole; such an integer cannot be reckoned with.
 */
import type { KubernetesClient } from './client.types.ts'
import type { KubernetesObject } from './objects.ts'
import { apiError, parseBody, requestLine } from './status-error.ts'

// ECMAScript 2026, not yet in the library of types.
type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown
const { parse, rawJSON } = JSON as unknown as {
  parse(text: string, reviver: Reviver): unknown
  rawJSON(text: string): unknown
}

const isInexact = (value: unknown): boolean => Number.isInteger(value) && !Number.isSafeInteger(value)

/** What JSON.parse gives, except that JSON.stringify writes integers beyond 2^53 as they were. */
export function parseExact(text: string): unknown {
  // Few texts have such integers, and without a reviver it is ten times as fast.
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  return parse(text, (_key, value, { source }) =>
    isInexact(value) && source !== undefined && /^-?\d+$/.test(source) ? rawJSON(source) : value,
  )
}

/** The object at the path, to be written back as a whole; undefined where there is none. Throws ApiError. */
export async function readExact<T extends KubernetesObject>(
  client: Pick<KubernetesClient, 'raw'>,
  path: string,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const answer = await client.raw({ method: 'GET', path, ...(signal && { signal }) })
  const request = requestLine('GET', path)
  if (answer.status === 200) return parseBody<T>(request, answer, parseExact)
  const error = apiError(request, answer)
  if (error.code === 404) return undefined
  throw error
}

/** Where a definition is. */
export const definitionPath = (name: string): string =>
  `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`
