/** Whether those who use a version have been warned, and have a way out. */
import type { CustomResourceDefinition } from '../../../kubernetes/objects.ts'
import { strategyOf } from '../rules/conversion.ts'
import { shapeOf } from '../schema-reading.ts'

/**
 * Was the version deprecated before, so that every request was answered with a warning, and is there a way from it now: a webhook
 * that converts, or another served version of the same schema, for which manifests change just their apiVersion?
 */
export function isAnnounced(
  version: string,
  { before, after }: { before: CustomResourceDefinition; after: CustomResourceDefinition },
): boolean {
  const old = before.spec.versions.find(({ name }) => name === version)
  if (old?.deprecated !== true) return false
  if (strategyOf(after) === 'Webhook') return true
  const shape = shapeOf(old.schema?.openAPIV3Schema)
  return after.spec.versions.some(
    ({ name, served, schema }) => name !== version && served && shapeOf(schema?.openAPIV3Schema) === shape,
  )
}
