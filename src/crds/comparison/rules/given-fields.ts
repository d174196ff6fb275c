/** Fields that an object always has, whatever its schema says. */
import type { JSONSchema, PathElement } from '../comparison.types.ts'

const given = new Set(['apiVersion', 'kind', 'metadata'])

/** Does the API server know and keep the field itself: apiVersion, kind and metadata of an object, at the root or embedded? */
export function isGivenByServer(name: string, path: readonly PathElement[], schema: JSONSchema): boolean {
  return given.has(name) && (path.length === 0 || schema['x-kubernetes-embedded-resource'] === true)
}
