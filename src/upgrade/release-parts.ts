/** The parts of a release that planners ask for. Pure. */
import type { Inventory } from '../installation/inventory.types.ts'
import type { AnyObject, CustomResourceDefinition, ObjectReference } from '../kubernetes/objects.ts'
import type { WorkloadTarget } from '../plan/plan.types.ts'
import type { LedDeployment } from '../plan/workloads.ts'
import type { ObjectRole, Release } from '../releases/release.types.ts'
import type { DefinitionHop } from './definition-hop.ts'

/** The release's objects of some roles, in file order, with their roles. */
export const ofRole = (release: Release, ...roles: ObjectRole[]): { role: ObjectRole; object: AnyObject }[] =>
  release.objects.filter(({ role }) => roles.includes(role))

/** The release's own form of a CRD, with the storage version that it wants. */
export const crdOf = (release: Release, hop: DefinitionHop): CustomResourceDefinition =>
  (ofRole(release, 'crd').find(({ object }) => object.metadata.name === hop.wanted.metadata.name)?.object ??
    hop.wanted) as unknown as CustomResourceDefinition

/** The release's objects of some roles. */
export const objectsOf = (release: Release, ...roles: ObjectRole[]): AnyObject[] =>
  ofRole(release, ...roles).map(({ object }) => object)

/** What the proofs of a plan work on, read in `version`. */
export const workloadTarget = (
  { release, inventory }: { release: Release; inventory: Inventory },
  version: string,
): WorkloadTarget => {
  const unattended = inventory.shims.filter(({ replicas }) => replicas === 0).map(({ name }) => name)
  return {
    apiVersion: `${release.product.group}/${version}`,
    kind: 'ModelDeployment',
    pausedAnnotation: release.product.pausedAnnotation,
    ...(unattended.length > 0 && { unattended }),
    providerKinds: release.product.shims.map(({ resource }) => resource),
  }
}

/** The Secret that the release's webhooks are served with. */
export const certificateOf = (release: Release): ObjectReference => ({
  apiVersion: 'v1',
  kind: 'Secret',
  namespace: release.controller.ref.namespace ?? release.product.namespace,
  name: release.product.controller.webhookSecret,
})

/** The controller as the release runs it. */
export const controllerOf = ({ controller, product }: Release): LedDeployment => ({
  title: 'the controller',
  deployment: controller.ref,
  container: product.controller.container,
  image: controller.pinnedImage,
  lease: product.controller.lease,
})
