/** CRDs as subjects of findings. */
import type { CrdState } from '../installation/inventory.types.ts'
import type { ObjectReference } from '../kubernetes/objects.ts'
import type { CheckContext } from './check.types.ts'
import { productInQuestion } from './subject.ts'

export function crdReference(name: string): ObjectReference {
  return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name }
}

/** Whether a CRD belongs to AI Runway itself and not to a provider operator. */
export function isOfProduct(crd: CrdState, context: CheckContext): boolean {
  const groups = [productInQuestion(context), ...context.inventory.installs.map(({ product }) => product)]
  return groups.some((product) => product?.group === crd.group)
}
