/** Names of the sample release's objects, for tests that read or write them. */
import type { AnyObject, ObjectReference } from '../../src/kubernetes/objects.ts'

/** An object of a type that lists few fields, with all others. */
export type Any<T> = T & AnyObject

export const group = 'kubeairunway.ai'
export const system = 'kubeairunway-system'
export const alpha = `${group}/v1alpha1`
export const beta = `${group}/v1beta1`

/** A status patch that the owning controller and shim undo: what proves that they reconcile. */
export const nudge = { status: { observedGeneration: 0, provider: { resourceKind: null } } }
export const asStatus = { type: 'merge', subresource: 'status' } as const

export const deploymentRef = (namespace: string, name: string, apiVersion = alpha): ObjectReference => ({
  apiVersion,
  kind: 'ModelDeployment',
  namespace,
  name,
})
export const configRef = (name: string, apiVersion = alpha): ObjectReference => ({
  apiVersion,
  kind: 'InferenceProviderConfig',
  name,
})
export const leaseRef = (name: string): ObjectReference => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  namespace: system,
  name,
})
export const secretRef = {
  apiVersion: 'v1',
  kind: 'Secret',
  namespace: system,
  name: 'kubeairunway-webhook-server-cert',
}
export const crdRef = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  name: 'modeldeployments.kubeairunway.ai',
}
