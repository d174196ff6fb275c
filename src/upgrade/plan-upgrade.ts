/**
 * The plan of an in-place upgrade. Pure: what is on the cluster and what the release holds go in, steps come out.
 *
 * The order: what the new controller needs before it starts (RBAC moves with the binary, Services, certificate Secret),
 * then the CRDs with the storage version held at what is stored now, then the controller, then the webhook configurations
 * (a path that only the new controller answers would be refused until it runs), then the proofs, then the shims, each with
 * its own proofs. A back-up comes first and the comparison with the baseline last.
 */

import { isSuperset } from '../crds/superset.ts'
import { holdStorage, storageVersionOf } from '../crds/versions.ts'
import type { Install, Inventory } from '../installation/inventory.types.ts'
import type { AnyObject, CustomResourceDefinition, ObjectReference } from '../kubernetes/objects.ts'
import { sealed } from '../plan/hash.ts'
import { type DraftStep, numbered } from '../plan/numbering.ts'
import { moveOwnersSteps } from '../plan/owners.ts'
import type { Plan, WorkloadTarget } from '../plan/plan.types.ts'
import { keyOf, referenceOf } from '../plan/reference.ts'
import type { Planned, Refused } from '../plan/refused.types.ts'
import {
  admissionStep,
  type LedDeployment,
  leaseStep,
  reconcileStep,
  rollOutStep,
  runningImage,
} from '../plan/workloads.ts'
import type { ObjectRole, Release } from '../releases/release.types.ts'
import { type ShimHop, shimHops, shimNotes } from './shims.ts'

export interface UpgradeInput {
  inventory: Inventory
  /** the one install that is upgraded */
  install: Install
  release: Release
  /** findings that were accepted: they are part of what was decided on */
  accepted?: NonNullable<Plan['accepted']>
  /** what becomes of fields that another manager owns */
  conflicts?: 'keep' | 'overwrite'
}

interface DefinitionHop {
  wanted: AnyObject
  /** version that objects stay stored in */
  stored: string
  /** version to read objects with before the CRD changes: the stored one, where it is served */
  readable: string
  served: string[]
  /** versions that are served now and not by the release */
  ending: string[]
  /** versions that are on the cluster and not in the release */
  leaving: string[]
  /** the release ends the conversion webhook */
  endsConversion: boolean
  /** why what runs now could not read what the CRD then stores */
  noWayBack: string | undefined
}

/** Plans the way from what runs to the release, or says why there is none. */
export const planUpgrade = (input: UpgradeInput): Planned => {
  const definitions: DefinitionHop[] = []
  for (const { object } of ofRole(input.release, 'crd')) {
    const hop = definitionHop(object, input.inventory)
    if ('refused' in hop) return hop
    definitions.push(hop.definition)
  }
  const models = definitions.find(({ wanted }) => wanted.metadata.name === input.release.product.crds.modelDeployments)
  if (models === undefined)
    return {
      refused: { message: `${input.release.version} has no CRD ${input.release.product.crds.modelDeployments}.` },
    }
  return { plan: assemble(input, definitions, models, shimHops(input.inventory, input.release)) }
}

const ofRole = (release: Release, ...roles: ObjectRole[]): { role: ObjectRole; object: AnyObject }[] =>
  release.objects.filter(({ role }) => roles.includes(role))

const definitionHop = (
  object: AnyObject,
  inventory: Inventory,
): { definition: DefinitionHop } | { refused: Refused } => {
  const crd = object as unknown as CustomResourceDefinition
  const live = inventory.crds.find(({ name }) => name === crd.metadata.name)
  const names = new Set(crd.spec.versions.map(({ name }) => name))
  const served = crd.spec.versions.filter((version) => version.served).map(({ name }) => name)
  const stored = live?.versions.find((version) => version.storage)?.name ?? storageVersionOf(crd) ?? ''
  const lost = (live?.storedVersions ?? []).filter((version) => !names.has(version))
  if (lost.length > 0)
    return {
      refused: {
        message: `${crd.metadata.name} has objects stored in ${lost.join(', ')}, a version that the release no longer has.`,
        why: 'The API server refuses such a CRD, because those objects would become unreadable.',
        next: 'move the stored objects to a version that the release has, first',
      },
    }
  const held = holdStorage(crd, stored)
  if (!held.held) return { refused: { message: held.why } }
  return {
    definition: {
      wanted: held.crd as unknown as AnyObject,
      stored,
      readable: readableIn(
        stored,
        (live?.versions ?? []).filter((version) => version.served).map(({ name }) => name),
      ),
      served,
      ending: (live?.versions ?? [])
        .filter((version) => version.served && !served.includes(version.name))
        .map(({ name }) => name),
      leaving: (live?.versions ?? []).map(({ name }) => name).filter((name) => !names.has(name)),
      endsConversion: live?.conversion === 'Webhook' && crd.spec.conversion?.strategy !== 'Webhook',
      noWayBack: live?.object === undefined ? undefined : whyNoWayBack(held.crd, live.object),
    },
  }
}

/** A rollback keeps the CRD, without what the release added: is that still all that the running release needs? */
const whyNoWayBack = (wanted: CustomResourceDefinition, live: CustomResourceDefinition): string | undefined => {
  const { superset, differences } = isSuperset(wanted, live)
  const [first] = differences
  if (superset || first === undefined) return undefined
  return `${live.metadata.name} ${first.version} ${first.path}: ${first.what}`
}

/** A version that is stored need not be served. */
const readableIn = (stored: string, served: string[]): string =>
  served.includes(stored) ? stored : (served[0] ?? stored)

const assemble = (input: UpgradeInput, definitions: DefinitionHop[], models: DefinitionHop, shims: ShimHop[]) => {
  const { install, release, inventory } = input
  const before = workloadTarget(release, models.readable)
  const workloads = workloadTarget(release, readableIn(models.stored, models.served))
  const probed = workloadTarget(release, storageVersionOf(crdOf(release, models)) ?? models.stored)
  const controller: LedDeployment = {
    title: 'the controller',
    deployment: release.controller.ref,
    container: release.product.controller.container,
    image: release.controller.pinnedImage,
    lease: release.product.controller.lease,
  }
  const moved = moveOwnersSteps(before, models.ending, readableIn(models.stored, models.served))
  const steps: DraftStep[] = [
    ...opening(release, before, definitions, shims),
    ...moved,
    ...definitionSteps(release, definitions),
    ...applySteps('Update the controller', objectsOf(release, 'controller', 'other')),
    rollOutStep(controller),
    ...applySteps('Update webhook configurations', objectsOf(release, 'webhookConfiguration'), certificateOf(release)),
    leaseStep('Hand over the Lease', [controller]),
    admissionStep(probed, models.served),
    reconcileStep(workloads),
    ...shims.flatMap((shim) => shimSteps(shim, workloads)),
    // What the old shims created until they went names the old version again.
    ...moved,
    {
      kind: 'compare-baseline',
      title: 'Compare the workloads',
      workloads,
      images: [controller, ...shims.map(({ led }) => led)].map(runningImage),
    },
  ]
  return sealed({
    kind: 'upgrade',
    product: release.product.name,
    from: install.version.known ? install.version.version : 'unknown',
    to: release.version,
    source: `${release.source} (sha256 ${release.digest.slice(0, 12)})`,
    tier: 'in-place',
    tierReason:
      'the Deployments are updated where they are; old and new share one Lease, so one of them reconciles at a time',
    notes: [...interruptions(definitions), ...shimNotes(inventory, release)],
    wayBack: wayBackOf(definitions, install),
    ...runningUnderMovingTag(install),
    ...(input.accepted && input.accepted.length > 0 ? { accepted: input.accepted } : {}),
    steps: numbered(
      steps.map((step) => (step.kind === 'apply' ? { ...step, conflicts: input.conflicts ?? 'keep' } : step)),
    ),
  })
}

const wayBackOf = (definitions: DefinitionHop[], install: Install): Plan['wayBack'] => {
  const why = definitions.find(({ noWayBack }) => noWayBack !== undefined)?.noWayBack
  if (why !== undefined) return { possible: false, why }
  const lost = !install.version.known && runningUnderMovingTag(install).running === undefined
  return lost
    ? { possible: false, why: `${install.image} names no version, and no digest of it is known` }
    : { possible: true }
}

/** A tag that moves may be another version by the time of a rollback: the digest that runs now is kept. */
const runningUnderMovingTag = ({ version, deployment, pods }: Install): Pick<Plan, 'running'> => {
  const digest = pods.find(({ ready, imageID }) => ready && imageID.includes('@sha256:'))?.imageID
  return version.known || digest === undefined
    ? {}
    : { running: { [keyOf(deployment)]: digest.replace(/^.*:\/\//, '') } }
}

const crdOf = (release: Release, hop: DefinitionHop): CustomResourceDefinition =>
  (ofRole(release, 'crd').find(({ object }) => object.metadata.name === hop.wanted.metadata.name)?.object ??
    hop.wanted) as unknown as CustomResourceDefinition

const objectsOf = (release: Release, ...roles: ObjectRole[]): AnyObject[] =>
  ofRole(release, ...roles).map(({ object }) => object)

const workloadTarget = (release: Release, version: string): WorkloadTarget => ({
  apiVersion: `${release.product.group}/${version}`,
  kind: 'ModelDeployment',
  pausedAnnotation: release.product.pausedAnnotation,
  providerKinds: release.product.shims.map(({ resource }) => resource),
})

/** Back-up, baseline, and what has to be there before the controller starts. */
const opening = (
  release: Release,
  workloads: WorkloadTarget,
  definitions: DefinitionHop[],
  shims: ShimHop[],
): DraftStep[] => [
  {
    kind: 'back-up',
    title: 'Back up',
    objects: [...objectsOf(release, ...ALL_ROLES), ...shims.flatMap(({ objects }) => objects)].map(referenceOf),
    collections: definitions.map(({ wanted, readable }) => {
      const { spec } = wanted as unknown as CustomResourceDefinition
      return { apiVersion: `${spec.group}/${readable}`, kind: spec.names.kind }
    }),
  },
  { kind: 'take-baseline', title: 'Note the workloads', workloads },
  ...applySteps('Update access rights', objectsOf(release, 'namespace', 'access')),
  ...applySteps('Update Services and Secret', objectsOf(release, 'service', 'webhookSecret')),
]

const ALL_ROLES: ObjectRole[] = [
  'namespace',
  'crd',
  'access',
  'webhookSecret',
  'service',
  'controller',
  'webhookConfiguration',
  'other',
]

/** `keep` until the whole plan is told otherwise; `certificate` where objects name a webhook. */
const applySteps = (title: string, objects: AnyObject[], certificate?: ObjectReference): DraftStep[] =>
  objects.length === 0
    ? []
    : [{ kind: 'apply', title, objects, conflicts: 'keep', ...(certificate && { certificate }) }]

const certificateOf = (release: Release): ObjectReference => ({
  apiVersion: 'v1',
  kind: 'Secret',
  namespace: release.controller.ref.namespace ?? release.product.namespace,
  name: release.product.controller.webhookSecret,
})

/** A version or a conversion that ends goes before the controller that served it; nothing is stored in such a version. */
const definitionSteps = (release: Release, definitions: DefinitionHop[]): DraftStep[] => {
  const ending = definitions.filter(({ leaving, endsConversion }) => leaving.length > 0 || endsConversion)
  return [
    ...ending.map(
      ({ wanted, leaving, endsConversion }): DraftStep => ({
        kind: 'withdraw-version',
        title: leaving.length > 0 ? `Withdraw ${leaving.join(', ')}` : 'End the conversion',
        definition: wanted.metadata.name,
        versions: leaving,
        ...(endsConversion ? { conversion: 'None' } : {}),
      }),
    ),
    ...applySteps(
      'Update CRDs, storage held',
      definitions.map(({ wanted }) => wanted),
      certificateOf(release),
    ),
  ]
}

const shimSteps = ({ name, objects, led }: ShimHop, workloads: WorkloadTarget): DraftStep[] => [
  ...applySteps(`Update the ${name} shim`, objects),
  rollOutStep(led),
  leaseStep(`Hand over the Lease of ${name}`, [led]),
  reconcileStep(workloads, name),
]

const interruptions = (definitions: DefinitionHop[]): string[] => [
  'No ModelDeployment is reconciled while the Lease changes hands: 1 to 4 s for the controller, and again for each shim that moves; up to 17 s where the old pod does not go. Models keep serving.',
  'A create or update of a ModelDeployment may be refused for a moment, under a second, when the old pod goes: the API server still calls it.',
  ...definitions.flatMap(({ wanted, stored, served }) => {
    const crd = wanted as unknown as CustomResourceDefinition
    const others = served.filter((version) => version !== stored)
    const converted = crd.spec.conversion?.strategy === 'Webhook' && others.length > 0
    return [
      `${crd.metadata.name}: objects stay stored in ${stored}.`,
      ...(converted
        ? [
            `${crd.metadata.name}: ${others.join(', ')} needs the new controller's conversion webhook and cannot be read until its pod is ready (about the time of its roll-out). ${stored} can be read throughout.`,
          ]
        : []),
    ]
  }),
]
