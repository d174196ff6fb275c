/** What an upgrade's way depends on, beside the inventory: which webhook paths are called, who may do what, what others set. */
import { INSTALLERS } from '../backup/take.ts'
import type { Inventory } from '../installation/inventory.types.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isForbidden } from '../kubernetes/errors.ts'
import { paths } from '../kubernetes/field-set.ts'
import type { AnyObject, ObjectReference } from '../kubernetes/objects.ts'
import { keyOf, referenceOf } from '../plan/reference.ts'
import type { Release } from '../releases/release.types.ts'
import type { UpgradeInput } from '../upgrade/plan-upgrade.ts'
import { whyNoStandby } from './no-standby.ts'

/** Reads webhook configurations, roles and bindings, and Deployments. What may not be read is left out: the run is refused for it later. */
export const asItIs = async (
  client: KubernetesClient,
  { inventory, release }: { inventory: Inventory; release?: Release },
  signal: AbortSignal,
): Promise<Pick<UpgradeInput, 'liveWebhooks' | 'liveRights' | 'othersPodFields' | 'noStandby'>> => {
  if (release === undefined) return {}
  const { mutatingWebhook, validatingWebhook, webhookService } = release.product.controller
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const read = async (references: ObjectReference[]): Promise<AnyObject[]> => {
    const found = await Promise.all(references.map(async (reference) => findIfAllowed(client, reference, signal)))
    return found.filter((object) => object !== undefined)
  }
  const objects = [...release.objects.map(({ object }) => object), ...release.shims.flatMap((shim) => shim.objects)]
  const references = [...inventory.installs, ...inventory.shims].map(
    ({ deployment: { uid: _uid, ...reference } }) => reference,
  )
  const [liveWebhooks, liveRights, deployments, besides, services] = await Promise.all([
    read([
      { apiVersion, kind: 'MutatingWebhookConfiguration', name: mutatingWebhook },
      { apiVersion, kind: 'ValidatingWebhookConfiguration', name: validatingWebhook },
    ]),
    read(
      objects.filter(({ apiVersion: version }) => version.startsWith('rbac.authorization.k8s.io/')).map(referenceOf),
    ),
    read(references),
    // By a list, which taking the inventory has needed anyway: a `get` of it would be one more right.
    Promise.all(
      [...new Set(references.flatMap(({ namespace }) => namespace ?? []))].map(async (namespace) =>
        client.list({ apiVersion: 'apps/v1', kind: 'Deployment', namespace }, { signal }),
      ),
    ),
    read(
      inventory.installs.map(({ namespace }) => ({
        apiVersion: 'v1',
        kind: 'Service',
        namespace,
        name: webhookService,
      })),
    ),
  ])
  const fields = deployments.map((object): [string, string[]] => [
    keyOf({ kind: object.kind, ...object.metadata }),
    podFieldsOfOthers(object),
  ])
  return {
    liveWebhooks,
    liveRights,
    othersPodFields: Object.fromEntries(fields.filter(([, each]) => each.length > 0)),
    noStandby: whyNoStandby(inventory.installs, references, { services, deployments: besides.flat() }),
  }
}

const findIfAllowed = async (
  client: KubernetesClient,
  reference: ObjectReference,
  signal: AbortSignal,
): Promise<AnyObject | undefined> => {
  try {
    return await client.find(reference, signal)
  } catch (error) {
    if (isForbidden(error)) return undefined
    throw error
  }
}

/** What the release decides anyway, and what only makes pods restart (`kubectl rollout restart`). */
const NO_MATTER = [
  /^\.spec\.template\.spec\.(initC|c)ontainers\[[^\]]*\]\.(image|command|args)$/,
  /^\.spec\.template\.metadata\.annotations/,
]

/** Fields of a Deployment's pods that were set by nobody who installs releases, with who did: `.spec.template.spec.nodeSelector (kubectl-edit)`. Pure. */
export const podFieldsOfOthers = (deployment: AnyObject): string[] =>
  (deployment.metadata.managedFields ?? []).flatMap(({ manager = '', subresource, fieldsV1 }) =>
    subresource !== undefined || INSTALLERS.includes(manager)
      ? []
      : paths(fieldsV1 ?? {})
          .filter((path) => path.startsWith('.spec.template.') && NO_MATTER.every((pattern) => !pattern.test(path)))
          .map((path) => `${path} (${manager})`),
  )
