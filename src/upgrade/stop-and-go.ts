/**
 * The plan of an upgrade between releases that cannot decode each other's objects: a field changed its type within a version
 * of a CRD. Pure.
 *
 * Nobody of either release may run while the CRD changes. The old shims' heartbeats would make the pruning by the new
 * schema permanent, and the new controller's own migration reads what is left of the objects after it. So all stop; the CRDs
 * change; each provider config gets its new form, from the back-up where the new schema hides a part; then the new release
 * starts, controller and shims together, for a new controller beside old shims says Failed and Running in turns. Rewriting
 * those of the release's own shims too costs nothing: they register again when they start, and should one not come, its
 * flags are still there.
 */
import { storageVersionOf } from '../crds/versions.ts'
import type { CustomResourceDefinition, ObjectReference } from '../kubernetes/objects.ts'
import type { DraftStep } from '../plan/numbering.ts'
import { moveOwnersSteps } from '../plan/owners.ts'
import type { RewriteStep } from '../plan/plan.types.ts'
import type { Planned, Refused } from '../plan/refused.types.ts'
import { admissionStep, leaseStep, reconcileStep, rollOutStep, runningImage } from '../plan/workloads.ts'
import type { ProviderConfigChanges } from '../releases/release.types.ts'
import { applySteps, definitionSteps, opening, withdrawSteps } from './common-steps.ts'
import { type DefinitionHop, readableIn } from './definition-hop.ts'
import type { Situation, UpgradeInput } from './plan-upgrade.ts'
import { certificateOf, controllerOf, crdOf, objectsOf, workloadTarget } from './release-parts.ts'
import { upgradePlan } from './upgrade-plan.ts'

/** The 30 s that pods get to end, and a slow node. */
const STOP_SECONDS = 120
const SHOWN = 3

/**
 * `situation.undecodable` names the fields. Refuses where nothing says how stored objects get the new form, where a shim
 * would have to stay (it could neither register nor decode what the others write), and where a standby was asked for.
 */
export const stopAndGo = (situation: Situation): Planned => {
  const { input, definitions, shims } = situation
  const { providerConfigs: changes } = input.release
  const refused = whyNotStandby(situation) ?? whyNotRewritten(situation) ?? whyShimCannotStay(input)
  if (refused !== undefined || changes === undefined)
    return { refused: refused ?? { message: 'Nothing changes its form.' } }
  const why = `neither release can decode what the other one stores (${shown(situation.undecodable)}), so everything stops before the CRD changes`
  const moving = [controllerOf(input.release), ...shims.map(({ led }) => led)]
  // A rollback puts these back as they were, so that it need not live with the new schema.
  const withWayBack = definitions.map((each) =>
    changesForm(situation, each) ? { ...each, noWayBack: undefined } : each,
  )
  const plan = upgradePlan(
    { ...situation, definitions: withWayBack },
    {
      tier: 'in-place',
      tierReason: why,
      components: moving.map(({ title }) => ({ component: title, tier: 'in-place', why })),
      notes: notesOf(situation),
      steps: stepsOf(situation, changes),
    },
  )
  return { plan }
}

const shown = (fields: string[]): string =>
  `${fields.slice(0, SHOWN).join(', ')}${fields.length > SHOWN ? ', ...' : ''}`

const changesForm = ({ undecodable }: Situation, { wanted }: DefinitionHop): boolean =>
  undecodable.some((field) => field.startsWith(`${wanted.metadata.name} `))

const stepsOf = (situation: Situation, changes: ProviderConfigChanges): DraftStep[] => {
  const { input, definitions, models, shims } = situation
  const { release } = input
  const readable = readableIn(models.stored, models.served)
  const [before, workloads] = [workloadTarget(input, models.readable), workloadTarget(input, readable)]
  const probed = workloadTarget(input, storageVersionOf(crdOf(release, models)) ?? models.stored)
  const controller = controllerOf(release)
  const led = [controller, ...shims.map((shim) => shim.led)]
  const moved = moveOwnersSteps(before, models.ending, readable)
  const scaled = { kind: 'scale', deployments: runningDeployments(input), timeoutSeconds: STOP_SECONDS } as const
  return [
    ...opening(release, before, definitions, shims),
    ...moved,
    { ...scaled, title: 'Stop the controller and all shims', replicas: 'none' },
    ...withdrawSteps(definitions),
    ...definitionSteps(release, definitions),
    ...definitions.filter((each) => changesForm(situation, each)).map((each) => rewriteStep(each, changes)),
    ...applySteps('Update the controller', objectsOf(release, 'controller', 'other')),
    ...shims.flatMap(({ name, objects }) => applySteps(`Update the ${name} shim`, objects)),
    { ...scaled, title: 'Start them again', replicas: 'as-before' },
    rollOutStep(controller),
    ...applySteps('Update webhook configurations', objectsOf(release, 'webhookConfiguration'), certificateOf(release)),
    ...shims.map((shim) => rollOutStep(shim.led)),
    leaseStep(led.length === 1 ? 'Hand over the Lease' : 'Hand over the Leases', led),
    admissionStep(probed, models.served),
    reconcileStep(workloads),
    ...moved,
    { kind: 'compare-baseline', title: 'Compare the workloads', workloads, images: led.map(runningImage) },
  ]
}

const rewriteStep = ({ wanted, readable }: DefinitionHop, changes: ProviderConfigChanges): Omit<RewriteStep, 'id'> => {
  const { spec } = wanted as unknown as CustomResourceDefinition
  return {
    kind: 'rewrite',
    title: `Put each ${spec.names.kind} into its new form`,
    collection: { apiVersion: `${spec.group}/${readable}`, kind: spec.names.kind },
    changes,
  }
}

/** As they are on the cluster: what runs there has to stop, whatever the release calls it. */
const runningDeployments = ({ install, inventory }: UpgradeInput): ObjectReference[] =>
  [install, ...inventory.shims].map(({ deployment: { apiVersion, kind, name }, namespace }) => ({
    apiVersion,
    kind,
    namespace,
    name,
  }))

/** Every field has to be covered, and only provider configs can be. */
const whyNotRewritten = ({ input: { release }, undecodable }: Situation): Refused | undefined => {
  const { itemsToObjects = [], toAnnotations = [] } = release.providerConfigs ?? {}
  const covered = new Set([
    ...itemsToObjects.map(({ field }) => `${field}[]`),
    ...toAnnotations.map(({ field }) => field),
  ])
  const open = undecodable.find((field) => {
    const [definition, , path = ''] = field.split(' ')
    return definition !== release.product.crds.inferenceProviderConfigs || !covered.has(path)
  })
  if (open === undefined) return undefined
  return {
    message: `${open} has another type in ${release.version}.`,
    why: 'Neither release can decode what the other one stores there, and nothing says how stored objects get the new form.',
    next: open.startsWith(release.product.crds.inferenceProviderConfigs)
      ? `describe it under providerConfigs in the release.yaml of ${release.version}`
      : `wait for a release that has a new API version for it: there is no safe way to ${release.version}`,
  }
}

const whyNotStandby = ({ input: { tier, release }, undecodable }: Situation): Refused | undefined =>
  tier === 'standby'
    ? {
        message: `An upgrade to ${release.version} cannot go by a standby.`,
        why: `Both releases would be up at the same time, and neither can decode what the other one stores: ${shown(undecodable)}.`,
        next: `kubectl airunway upgrade --to ${release.version} (stops everything for the change)`,
      }
    : undefined

const whyShimCannotStay = ({ inventory, release }: UpgradeInput): Refused | undefined => {
  const unknown = inventory.shims.filter(
    (live) => release.shims.find(({ name }) => name === live.name)?.pinnedImage === undefined,
  )
  const [first] = unknown
  if (first === undefined) return undefined
  const names = unknown.map(({ name }) => name).join(', ')
  const inRelease = release.shims.some(({ name }) => name === first.name)
  return {
    message: `${unknown.length === 1 ? 'The shim' : 'The shims'} ${names} cannot stay as ${unknown.length === 1 ? 'it is' : 'they are'}, and nobody says which image goes with ${release.version}.`,
    why: 'A shim of the release before cannot register under the new CRD, and cannot decode what the others write.',
    next: inRelease
      ? `kubectl airunway upgrade --to ${release.version} ${unknown.map(({ name }) => `--image ${name}=IMAGE`).join(' ')}`
      : `put a file for the ${first.name} shim into the release, or remove that shim from the cluster`,
  }
}

const notesOf = ({ input: { inventory, release }, undecodable }: Situation): string[] => [
  'No ModelDeployment is reconciled from the stop of the controller and the shims until the new ones hold their Leases: 10 to 30 s usually, up to 60 s where pods are slow to go or to start. Models keep serving.',
  'For the same time ModelDeployments cannot be created or changed: the webhooks that have to admit them do not run.',
  ...undecodable.map(
    (field) => `${field} changes its type. Each object is put into the new form from the back-up, with its flags.`,
  ),
  'What ran before cannot start again by itself: not by "kubectl apply" of its manifests and not by "kubectl rollout undo". The way back is "kubectl airunway rollback".',
  ...(inventory.shims.length === 0
    ? []
    : [
        `A shim that is not one of ${release.product.title} is not stopped; it has to be able to work with ${release.version}.`,
      ]),
]
