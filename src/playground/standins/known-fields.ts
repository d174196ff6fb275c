import type { ModelDeployment } from './model-deployment.ts'
import type { Traits } from './traits.ts'

/**
 * The object as a typed client of this version would write it back: fields its types do not have are gone. A full
 * Update with it deletes what a newer version wrote there, without a word from the API server.
 */
export function asTyped(object: ModelDeployment, known: Traits['knownFields']): ModelDeployment {
  const spec = only(object.spec, known.spec)
  const engine = object.spec.engine ? { engine: only(object.spec.engine, known.engine) } : {}
  return { ...object, spec: { ...spec, ...engine } }
}

const only = <T extends Record<string, unknown>>(fields: T, names: readonly string[]): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name))) as Partial<T>
