/** Definitions for the tables of what is looked at before a migration. */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  ManagedFieldsEntry,
} from '../../../src/kubernetes/objects.ts'
import type { MigrationTarget } from '../../../src/migration/migration.types.ts'
import { isBlocker, targetOf } from '../../../src/migration/target.ts'

export const string = { type: 'string' }
export const object = (properties: Record<string, unknown>) => ({ type: 'object', properties })

export const version = (
  name: string,
  more: Partial<CustomResourceDefinitionVersion> = {},
  spec: Record<string, unknown> = { size: string },
): CustomResourceDefinitionVersion => ({
  name,
  served: true,
  storage: false,
  schema: { openAPIV3Schema: object({ spec: object(spec) }) },
  ...more,
})

export const stored = { storage: true }
export const established = { type: 'Established', status: 'True' as const }

export interface Described {
  versions?: CustomResourceDefinitionVersion[]
  storedVersions?: string[]
  conditions?: NonNullable<CustomResourceDefinition['status']>['conditions']
  conversion?: CustomResourceDefinition['spec']['conversion']
  managedFields?: ManagedFieldsEntry[]
  deletionTimestamp?: string
  preserveUnknownFields?: boolean
}

/** A definition as an API server shows it: widgets.example.com, stored in v1beta1, once in v1alpha1. */
export function definition(described: Described = {}): CustomResourceDefinition {
  const { managedFields, deletionTimestamp, conversion, preserveUnknownFields } = described
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: 'widgets.example.com',
      uid: 'u1',
      generation: 3,
      resourceVersion: '77',
      ...(managedFields && { managedFields }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: described.versions ?? [version('v1alpha1'), version('v1beta1', stored)],
      ...(conversion && { conversion }),
      ...(preserveUnknownFields !== undefined && { preserveUnknownFields }),
    },
    status: {
      storedVersions: described.storedVersions ?? ['v1alpha1', 'v1beta1'],
      conditions: described.conditions ?? [established],
    },
  }
}

/** Its target; throws where there is none. */
export function target(crd: CustomResourceDefinition): MigrationTarget {
  const found = targetOf(crd)
  if (isBlocker(found)) throw new Error(found.message)
  return found
}
