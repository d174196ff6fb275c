/**
 * The plan of the way back from a run, from any point it reached. Pure: the run's plan and back-up, and what is on the
 * cluster now, go in.
 *
 * The order is the upgrade's turned round where it matters: webhook configurations go back first (the running controller
 * still answers the old paths), then versions that the upgrade added leave the CRDs together with the conversion, while
 * the webhook that serves it still runs; a dead conversion webhook would block even the deletion of namespaces. Then the
 * controller. CRDs themselves stay: a superset of the same versions harms nobody, and no CRD is ever deleted.
 */

import type { Backup } from '../backup/backup.types.ts'
import { isSuperset } from '../crds/superset.ts'
import { storageVersionOf } from '../crds/versions.ts'
import type { CrdState, Inventory } from '../installation/inventory.types.ts'
import type { RunSummary } from '../journal/journal.types.ts'
import type { AnyObject, CustomResourceDefinition, Deployment, ObjectReference } from '../kubernetes/objects.ts'
import { sealed } from '../plan/hash.ts'
import { type DraftStep, numbered } from '../plan/numbering.ts'
import { moveOwnersSteps } from '../plan/owners.ts'
import type { ApplyStep, Plan, RollOutStep, WorkloadTarget } from '../plan/plan.types.ts'
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

export interface RollbackInput {
  /** the run that is gone back from */
  run: RunSummary
  plan: Plan
  backup: Backup
  inventory: Inventory
}

interface Definition {
  name: string
  group: string
  kind: string
  /** versions that the upgrade added and that go out again */
  leaving: string[]
  endsConversion: boolean
  served: string[]
  stored: string
}

/** Plans the way back, or says why there is none. */
export const planRollback = (input: RollbackInput): Planned => {
  const definitions: Definition[] = []
  for (const saved of input.backup.objects.filter(({ object }) => object.kind === 'CustomResourceDefinition')) {
    const definition = definitionBack(saved.object, input)
    if ('refused' in definition) return definition
    definitions.push(definition)
  }
  const compared = input.plan.steps.find((step) => step.kind === 'compare-baseline')
  const models = definitions.find(({ name }) => compared !== undefined && name.startsWith('modeldeployments.'))
  if (compared === undefined || models === undefined)
    return { refused: { message: `Run ${input.run.number} does not tell which workloads it was about.` } }
  const { apiVersion } = compared.workloads
  return {
    plan: assemble(input, definitions, models, {
      ...compared.workloads,
      apiVersion: versioned(apiVersion, models.stored),
    }),
  }
}

const versioned = (apiVersion: string, version: string): string => `${apiVersion.split('/')[0]}/${version}`

const definitionBack = (before: AnyObject, { inventory, run }: RollbackInput): Definition | { refused: Refused } => {
  const old = before as unknown as CustomResourceDefinition
  const live = inventory.crds.find(({ name }) => name === old.metadata.name)
  if (live?.object === undefined)
    return { refused: { message: `${old.metadata.name} is gone: there is nothing left to go back with.` } }
  const kept = new Set(old.spec.versions.map(({ name }) => name))
  const leaving = live.versions.map(({ name }) => name).filter((name) => !kept.has(name))
  const stuck = whyStuck(old, live, leaving, run)
  if (stuck !== undefined) return { refused: stuck }
  return {
    name: old.metadata.name,
    group: live.group,
    kind: live.kind,
    leaving,
    endsConversion: live.conversion === 'Webhook' && old.spec.conversion?.strategy !== 'Webhook',
    served: old.spec.versions.filter(({ served }) => served).map(({ name }) => name),
    stored: storageVersionOf(old) ?? '',
  }
}

/** Why the CRD as it is now cannot serve the old release, or undefined. */
const whyStuck = (
  old: CustomResourceDefinition,
  live: CrdState,
  leaving: string[],
  run: RunSummary,
): Refused | undefined => {
  const storedNew = live.storedVersions.filter((version) => leaving.includes(version))
  const storage = live.versions.find((version) => version.storage)?.name
  if (storedNew.length > 0 || storage !== storageVersionOf(old))
    return {
      message: `${old.metadata.name} stores ${[...new Set([...storedNew, storage])].join(', ')}; ${run.from} stores ${storageVersionOf(old)}.`,
      why: `Objects may be stored in a version that ${run.from} cannot read; going back now would lose them.`,
      next: 'stay on this version, or restore objects by hand from the back-up in the run records',
    }
  if (live.object === undefined) return undefined
  const remaining = {
    ...live.object,
    spec: { ...live.object.spec, versions: live.object.spec.versions.filter(({ name }) => !leaving.includes(name)) },
  }
  const { superset, differences } = isSuperset(remaining, old)
  if (superset) return undefined
  const shown = differences.slice(0, 3).map(({ version, path, what }) => `${version} ${path}: ${what}`)
  return {
    message: `${old.metadata.name} has changed so that ${run.from} cannot read what is stored now.`,
    why: `${shown.join('; ')}${differences.length > 3 ? `; and ${differences.length - 3} more` : ''}.`,
    next: 'stay on this version, or restore objects by hand from the back-up in the run records',
  }
}

const assemble = (
  input: RollbackInput,
  definitions: Definition[],
  models: Definition,
  workloads: WorkloadTarget,
): Plan => {
  const { run, plan } = input
  const ways = waysBack(input)
  const led = ledBefore(input)
  const steps: DraftStep[] = [
    {
      kind: 'back-up',
      title: 'Back up',
      objects: plan.steps.flatMap((step) => (step.kind === 'back-up' ? step.objects : [])),
      collections: definitions.map(({ group, kind, stored }) => ({ apiVersion: `${group}/${stored}`, kind })),
    },
    { kind: 'take-baseline', title: 'Note the workloads', workloads },
    ...applying('Restore webhook configurations', ways.webhooks),
    ...deleting('Delete added webhook configurations', ways.addedWebhooks),
    ...moveOwnersSteps(workloads, models.leaving, models.stored),
    ...definitions.filter(({ leaving, endsConversion }) => leaving.length > 0 || endsConversion).map(withdrawing),
    ...applying('Restore access and Services', ways.others),
    ...applying('Restore controller and shims', ways.deployments),
    ...led.map(rollOutStep),
    leaseStep(led.length === 1 ? 'Hand over the Lease' : 'Hand over the Leases', led),
    admissionStep(workloads, models.served),
    reconcileStep(workloads),
    ...deleting('Delete what the upgrade added', ways.added),
    { kind: 'compare-baseline', title: 'Compare the workloads', workloads, images: led.map(runningImage) },
  ]
  return sealed({
    kind: 'rollback',
    product: plan.product,
    from: run.to,
    to: run.from,
    source: `the records of run ${run.number}`,
    tier: 'in-place',
    tierReason: 'the way back goes as the upgrade went',
    components: led.map(({ title }) => ({
      component: title,
      tier: 'in-place',
      why: 'the way back goes as the upgrade went',
    })),
    wayBack: { possible: false, why: 'the way on is an upgrade' },
    notes: notesOf(definitions, ways.addedDefinitions, run),
    steps: numbered(steps),
  })
}

const withdrawing = ({ name, leaving, endsConversion }: Definition): DraftStep => ({
  kind: 'withdraw-version',
  title:
    leaving.length > 0
      ? `Withdraw ${leaving.join(', ')}${endsConversion ? ' and its conversion' : ''}`
      : 'End the conversion',
  definition: name,
  versions: leaving,
  ...(endsConversion ? { conversion: 'None' } : {}),
})

const applying = (title: string, { objects, certificate }: Back): DraftStep[] =>
  objects.length === 0
    ? []
    : [{ kind: 'apply', title, objects, conflicts: 'keep', ...(certificate && { certificate }) }]

const deleting = (title: string, objects: ObjectReference[]): DraftStep[] =>
  objects.length === 0 ? [] : [{ kind: 'delete', title, objects }]

interface Back {
  objects: AnyObject[]
  certificate?: ObjectReference
}

interface WaysBack {
  webhooks: Back
  others: Back
  deployments: Back
  addedWebhooks: ObjectReference[]
  added: ObjectReference[]
  addedDefinitions: string[]
}

const isWebhook = ({ kind }: { kind: string }): boolean => kind.endsWith('WebhookConfiguration')

/** What each object that the run applied goes back to: what had been applied before it, or away. */
const waysBack = ({ plan, backup }: RollbackInput): WaysBack => {
  const saved = new Map(backup.objects.map((each) => [keyOf(referenceOf(each.object)), each]))
  const steps = plan.steps.filter((step): step is ApplyStep => step.kind === 'apply')
  const touched = steps.flatMap(({ objects }) => objects)
  const before = touched.flatMap((object) => saved.get(keyOf(referenceOf(object)))?.applied ?? [])
  const added = touched.filter((object) => !saved.has(keyOf(referenceOf(object)))).map(referenceOf)
  const certificate = steps.find((step) => step.objects.some(isWebhook))?.certificate
  return {
    webhooks: { objects: before.filter(isWebhook), ...(certificate && { certificate }) },
    deployments: { objects: before.filter(({ kind }) => kind === 'Deployment').map((object) => pinned(object, plan)) },
    others: {
      objects: before.filter(
        (each) => !isWebhook(each) && !['Deployment', 'CustomResourceDefinition'].includes(each.kind),
      ),
    },
    addedWebhooks: added.filter(isWebhook),
    // Neither a CRD nor a namespace is ever deleted: what is inside would go along.
    added: added.filter((ref) => !isWebhook(ref) && !['CustomResourceDefinition', 'Namespace'].includes(ref.kind)),
    addedDefinitions: added.filter(({ kind }) => kind === 'CustomResourceDefinition').map(({ name }) => name),
  }
}

/** A Deployment whose image had a tag that moves goes back to the digest that ran under it. */
const pinned = (object: AnyObject, { running = {}, steps }: Plan): AnyObject => {
  const digest = running[keyOf(referenceOf(object))]
  const container = containerOf(object, steps)
  if (digest === undefined || container === undefined) return object
  const { spec } = object as unknown as Deployment
  const containers = spec.template.spec.containers.map((each) =>
    each.name === container ? { ...each, image: digest } : each,
  )
  return { ...object, spec: { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, containers } } } }
}

const containerOf = (object: AnyObject, steps: Plan['steps']): string | undefined =>
  steps.find(
    (step): step is RollOutStep => step.kind === 'roll-out' && keyOf(step.deployment) === keyOf(referenceOf(object)),
  )?.container

/** The Deployments as they ran before, with the Leases that the upgrade waited for. */
const ledBefore = ({ plan, backup }: RollbackInput): LedDeployment[] =>
  plan.steps.flatMap((step): LedDeployment[] => {
    if (step.kind !== 'roll-out') return []
    const led = plan.steps
      .flatMap((each) => (each.kind === 'await-lease' ? each.leases : []))
      .find(({ deployment }) => keyOf(deployment) === keyOf(step.deployment))
    const saved = backup.objects.find(({ object }) => keyOf(referenceOf(object)) === keyOf(step.deployment))
    const { spec } = (saved?.object ?? {}) as unknown as Partial<Deployment>
    const saidBefore = spec?.template.spec.containers.find(({ name }) => name === step.container)?.image
    const image = plan.running?.[keyOf(step.deployment)] ?? saidBefore
    if (led === undefined || image === undefined) return []
    const title = step.title.replace('Roll out ', '')
    return [{ title, deployment: step.deployment, container: step.container, image, lease: led.lease.name }]
  })

const notesOf = (definitions: Definition[], addedDefinitions: string[], run: RunSummary): string[] => [
  'No ModelDeployment is reconciled from the moment a version is withdrawn, or the controller is replaced, until the old controller holds the Lease. Models keep serving.',
  ...definitions.map(({ name, leaving, stored }) =>
    leaving.length === 0
      ? `${name} stays as it is: a superset of what ${run.from} had, stored in ${stored}.`
      : `${name} loses ${leaving.join(', ')}, in which nothing is stored; the rest stays as a superset.`,
  ),
  ...addedDefinitions.map((name) => `${name} was added by the upgrade and stays: deleting a CRD deletes its objects.`),
]
