/**
 * What a step writes to that exists already. A process that was stopped in it may have looked and not yet sent: its request
 * carries the resourceVersion that it read, and lands unless the object has been written since. Pure.
 */
import type { ObjectReference } from '../kubernetes/objects.ts'
import type { MoveOwnersStep, Step } from './plan.types.ts'
import { referenceOf } from './reference.ts'

export interface WrittenBy {
  objects: ObjectReference[]
  /** all objects of a kind */
  collection?: { apiVersion: string; kind: string }
  /** children whose owner's version is moved */
  children?: Pick<MoveOwnersStep, 'kinds' | 'owner'>
}

/**
 * What the step may have looked at and not written yet. Status nudges are left out: each run ends with nudges of its own.
 * Leases too: to clear a holder that has not renewed since harms nobody.
 */
export const writtenBy = (step: Step): WrittenBy => {
  switch (step.kind) {
    case 'apply':
      return { objects: step.objects.map(referenceOf) }
    case 'route':
      return { objects: [referenceOf(step.service)] }
    case 'stand-by':
      return { objects: [referenceOf(step.object)] }
    case 'scale':
      return { objects: step.deployments }
    case 'delete':
      return { objects: step.objects }
    case 'flip-storage':
    case 'withdraw-version': {
      const apiVersion = 'apiextensions.k8s.io/v1'
      return { objects: [{ apiVersion, kind: 'CustomResourceDefinition', name: step.definition }] }
    }
    case 'move-owners':
      return { objects: [], children: { kinds: step.kinds, owner: step.owner } }
    case 'rewrite':
    case 'restore':
      return { objects: [], collection: step.collection }
    // A patch that lands late re-encodes an object that nobody has written since, at most; a late trim was proved, and is
    // refused once anybody changed the CRD.
    case 'migrate':
    case 'back-up':
    case 'take-baseline':
    case 'roll-out':
    case 'await-lease':
    case 'await-admission':
    case 'await-reconcile':
    case 'check-migration':
    case 'compare-baseline':
      return { objects: [] }
  }
}
