import type { JSONSchema } from '../../../../src/crds/comparison/comparison.types.ts'
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '../../../../src/kubernetes/objects.ts'

type Schema = JSONSchema

export const today = { today: '2026-11-22' }

export const webhook: CustomResourceConversion = {
  strategy: 'Webhook',
  webhook: {
    clientConfig: { service: { namespace: 'models', name: 'converter' } },
    conversionReviewVersions: ['v1'],
  },
}

/** An object with these fields. */
export const object = (properties: Record<string, Schema>, others: Schema = {}): Schema => ({
  type: 'object',
  properties,
  ...others,
})

/** A root whose spec is this. */
export const root = (spec: Schema): Schema => object({ spec })

type Overrides = Partial<CustomResourceDefinitionVersion> & { spec?: Schema; root?: Schema }

/** A version whose spec has the field `x`, unless it is said otherwise. Served, not stored. */
export function version(
  name: string,
  { spec, root: whole, ...others }: Overrides = {},
): CustomResourceDefinitionVersion {
  const schema = { openAPIV3Schema: whole ?? root(spec ?? object({ x: { type: 'string' } })) }
  return { name, served: true, storage: false, schema, ...others }
}

/** A definition of these versions; objects are stored in the first one where no other says so. */
export function definition(
  versions: readonly CustomResourceDefinitionVersion[],
  { status, ...spec }: Partial<CustomResourceDefinition['spec']> & Pick<CustomResourceDefinition, 'status'> = {},
): CustomResourceDefinition {
  const stored = versions.some(({ storage }) => storage)
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'models.example.io' },
    spec: {
      group: 'example.io',
      scope: 'Namespaced',
      names: { plural: 'models', kind: 'Model' },
      versions: versions.map((entry, index) => ({ ...entry, storage: stored ? entry.storage : index === 0 })),
      ...spec,
    },
    ...(status && { status }),
  }
}
