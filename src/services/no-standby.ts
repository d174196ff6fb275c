/** What on the cluster stands in the way of a standby, because it is somebody's. Pure. */
import { INSTALLERS } from '../backup/take.ts'
import type { Inventory } from '../installation/inventory.types.ts'
import { paths } from '../kubernetes/field-set.ts'
import type { AnyObject, ObjectReference } from '../kubernetes/objects.ts'
import { keyOf } from '../plan/reference.ts'
import { RUN_LABEL } from '../plan/run-label.ts'
import { standbyNameOf } from '../plan/standby.ts'

/** By Deployment, why it cannot have a standby: `services` are those of the webhooks, `deployments` all of the namespaces. */
export const whyNoStandby = (
  installs: Inventory['installs'],
  references: ObjectReference[],
  { services, deployments }: { services: AnyObject[]; deployments: AnyObject[] },
): Record<string, string> =>
  Object.fromEntries([
    ...installs.flatMap(({ deployment }) => services.flatMap((service) => told(deployment, selectorOfOthers(service)))),
    ...references.flatMap((reference) =>
      deployments
        .filter(
          ({ metadata: { name, namespace } }) =>
            name === standbyNameOf(reference.name) && namespace === reference.namespace,
        )
        .flatMap((object) => told(reference, nameTaken(object))),
    ),
  ])

const told = (reference: ObjectReference, why: string | undefined): [string, string][] =>
  why === undefined ? [] : [[keyOf(reference), why]]

/** A Deployment that bears the name of a standby and was not made by a run is somebody's. Pure. */
export const nameTaken = ({ metadata: { name, labels } }: AnyObject): string | undefined =>
  labels?.[RUN_LABEL] === undefined
    ? `its standby would be called ${name}, and a Deployment of that name is there`
    : undefined

/** A hand-over moves the whole selector of the Service, which would not be its owner's any more. Pure. */
export const selectorOfOthers = ({ metadata: { name, managedFields = [] } }: AnyObject): string | undefined => {
  const owner = managedFields.find(
    ({ manager = '', subresource, fieldsV1 }) =>
      subresource === undefined &&
      !INSTALLERS.includes(manager) &&
      paths(fieldsV1 ?? {}).some((path) => path.startsWith('.spec.selector')),
  )
  return owner && `the selector of the Service ${name} belongs to ${owner.manager}, and a standby would take it over`
}
