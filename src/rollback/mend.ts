/**
 * Mends what a hop by hand leaves behind where two releases cannot decode each other's objects: the manifests of the release
 * before have been applied again, and under its CRD the converted provider configs read `engines: [{}]`. Its programs are
 * ready and do nothing, for one object that does not decode fails the whole list. Pure.
 *
 * The right release runs already, so nothing is stopped: what earlier runs have backed up is written again, and lists of
 * which nothing can be read are emptied. Then everything decodes, and the shims register what they offer by themselves.
 */
import { unreadableFields } from '../crds/decodable.ts'
import type { Install, Inventory } from '../installation/inventory.types.ts'
import type { AnyObject, CustomResourceDefinition } from '../kubernetes/objects.ts'
import { sealed } from '../plan/hash.ts'
import { numbered } from '../plan/numbering.ts'
import type { Plan, WorkloadTarget } from '../plan/plan.types.ts'
import { admissionStep, type LedDeployment, reconcileStep, runningImage } from '../plan/workloads.ts'
import { written } from './stop-and-go.ts'

export interface MendInput {
  inventory: Inventory
  install: Install
  /** all provider configs, read in the version that is stored */
  configs: AnyObject[]
  /** the same objects as earlier runs have backed them up, newest first */
  saved: AnyObject[]
}

/** Undefined where everything can be read, or nothing but lists of plain values is unreadable. */
export const planMend = (input: MendInput): Plan | undefined => {
  const { inventory, install, configs, saved } = input
  const definition = definitionOf(inventory, install.product.crds.inferenceProviderConfigs)
  const models = definitionOf(inventory, install.product.crds.modelDeployments)
  const [config] = configs
  if (definition === undefined || models === undefined || config === undefined) return undefined
  const broken = configs.filter((each) => unreadableFields(definition, each).length > 0)
  const fields = [...new Set(broken.flatMap((each) => unreadableFields(definition, each)))]
  if (fields.length === 0 || fields.some((field) => !field.startsWith('spec.') || !field.endsWith('[]')))
    return undefined
  const objects = broken.flatMap(
    ({ metadata: { name } }) =>
      saved.find((each) => each.metadata.name === name && unreadableFields(definition, each).length === 0) ?? [],
  )
  const known = new Set(objects.map(({ metadata }) => metadata.name))
  const lost = broken.map(({ metadata }) => metadata.name).filter((name) => !known.has(name))
  const controller = controllerOf(install)
  const workloads = workloadTarget(install, models)
  const collection = { apiVersion: config.apiVersion, kind: config.kind }
  const version = install.version.known ? install.version.version : 'unknown'
  const why = 'nothing is replaced: what runs is the right release, and only what it cannot read is mended'
  return sealed({
    kind: 'rollback',
    product: install.product.name,
    from: version,
    to: version,
    source: objects.length === 0 ? 'what is on the cluster' : 'the back-ups of earlier runs',
    tier: 'in-place',
    tierReason: why,
    components: [],
    notes: notesOf(input, broken, lost),
    wayBack: { possible: false, why: 'there is nothing before it that works' },
    steps: numbered([
      { kind: 'back-up', title: 'Back up', objects: [], collections: [collection] },
      { kind: 'take-baseline', title: 'Note the workloads', workloads },
      {
        kind: 'restore',
        title: `Make each ${config.kind} readable again`,
        collection,
        objects: objects.map((object) => written({ ...object, ...collection })),
        changes: {
          itemsToObjects: fields.map((field) => ({ field: field.slice(0, -2), key: '', copied: [] })),
          toAnnotations: [],
        },
      },
      admissionStep(workloads, [workloads.apiVersion.split('/')[1] ?? '']),
      reconcileStep(workloads),
      { kind: 'compare-baseline', title: 'Compare the workloads', workloads, images: [runningImage(controller)] },
    ]),
  })
}

const definitionOf = ({ crds }: Inventory, wanted: string): CustomResourceDefinition | undefined =>
  crds.find(({ name }) => name === wanted)?.object

const controllerOf = ({ product, deployment, namespace, image }: Install): LedDeployment => ({
  title: 'the controller',
  deployment: { apiVersion: deployment.apiVersion, kind: deployment.kind, namespace, name: deployment.name },
  container: product.controller.container,
  image,
  lease: product.controller.lease,
})

const workloadTarget = (
  { product }: Install,
  { spec: { group, names, versions } }: CustomResourceDefinition,
): WorkloadTarget => ({
  apiVersion: `${group}/${(versions.find(({ served, storage }) => served && storage) ?? versions.find(({ served }) => served))?.name}`,
  kind: names.kind,
  pausedAnnotation: product.pausedAnnotation,
  providerKinds: product.shims.map(({ resource }) => resource),
})

const notesOf = ({ install: { product } }: MendInput, broken: AnyObject[], lost: string[]): string[] => {
  const own = new Set(product.shims.map(({ providerConfig }) => providerConfig))
  const others = lost.filter((name) => !own.has(name))
  return [
    `${broken.map(({ kind, metadata }) => `${kind} ${metadata.name}`).join(', ')} cannot be read by what runs: no ModelDeployment is reconciled until it can.`,
    'The shims register what they offer by themselves as soon as everything can be read: up to 40 s. Models keep serving.',
    ...others.map(
      (name) =>
        `What ${name} offers is in no back-up and is left empty: its own shim has to register again, or somebody writes it: kubectl edit inferenceproviderconfig ${name}`,
    ),
  ]
}
