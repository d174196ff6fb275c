/** The Deployments that go back: what they are told, what runs now, and whether a standby of another run is there. Pure. */
import type { Backup } from '../backup/backup.types.ts'
import type { Inventory } from '../installation/inventory.types.ts'
import type { AnyObject, Deployment, ObjectReference, WebhookConfiguration } from '../kubernetes/objects.ts'
import type { DraftStep } from '../plan/numbering.ts'
import type { Plan } from '../plan/plan.types.ts'
import { keyOf, referenceOf } from '../plan/reference.ts'
import { type Replicas, replicasOf } from '../plan/replicas.ts'
import { type StandbySteps, standbyNameOf, standbySteps } from '../plan/standby.ts'
import type { LedDeployment } from '../plan/workloads.ts'
import type { DefinitionBack } from './definitions-back.ts'
import { appliedBy, type WaysBack } from './ways-back.ts'

export interface Component {
  /** as it ran before: title, image, Lease */
  led: LedDeployment
  /** as it is applied */
  deployment: AnyObject
  isController: boolean
  /** image that the Deployment is told now; undefined where it is gone */
  tells: string | undefined
  /** where it has no pods: it has been stopped */
  stopped: boolean
  standby: ObjectReference
  /** one is there, whether it works or not */
  hasStandby: boolean
  /** a standby that works: what it runs */
  standsBy: string | undefined
  /** the blocks of a hand-over to a standby of `image` and back, or why there are none */
  blocks: (image: string) => StandbySteps | { impossible: string }
  /** replicas before the run: a run that stopped may have left it without any */
  had: Replicas
}

interface Source {
  plan: Plan
  backup: Backup
  inventory: Inventory
  forward: boolean
}

/** The Deployments that the run rolled out, under the Leases that it waited for; the controller first, as in the run. */
export const componentsOf = (source: Source, ways: WaysBack, definitions: DefinitionBack[]): Component[] => {
  const rolledOut = new Map(
    source.plan.steps.flatMap((step) => (step.kind === 'roll-out' ? [[keyOf(step.deployment), step] as const] : [])),
  )
  return [...rolledOut.entries()]
    .flatMap(([key, step]): Component[] => {
      const led = source.plan.steps
        .flatMap((each) => (each.kind === 'await-lease' ? each.leases : []))
        .find(({ deployment }) => keyOf(deployment) === key)
      const saved = source.backup.objects.find(({ object }) => keyOf(referenceOf(object)) === key)
      const deployment = ways.deployments.find((object) => keyOf(referenceOf(object)) === key)
      if (led === undefined || saved === undefined || deployment === undefined) return []
      const { spec } = saved.object as unknown as Deployment
      const saidBefore = spec.template.spec.containers.find(({ name }) => name === step.container)?.image
      const image = source.plan.running?.[key] ?? saidBefore
      if (image === undefined) return []
      return [
        component(source, ways, definitions, {
          led: {
            title: step.title.replace('Roll out ', ''),
            deployment: step.deployment,
            container: step.container,
            image,
            lease: led.lease.name,
          },
          deployment,
          before: saved.object,
        }),
      ]
    })
    .toSorted((a, b) => Number(b.isController) - Number(a.isController))
}

const component = (
  { plan, inventory, forward }: Source,
  ways: WaysBack,
  definitions: DefinitionBack[],
  { led, deployment, before }: Pick<Component, 'led' | 'deployment'> & { before: AnyObject },
): Component => {
  const isController = led.title === 'the controller'
  const standby = { ...led.deployment, name: standbyNameOf(led.deployment.name) }
  const [now, beside] = [running(inventory, led.deployment), running(inventory, standby)]
  const had = hadBefore(before, deployment)
  const webhooks = isController ? webhooksOf(plan, { ...ways, forward }, definitions) : undefined
  return {
    led,
    deployment,
    isController,
    tells: now?.image,
    stopped: now?.replicas === 0,
    standby,
    hasStandby: beside !== undefined,
    standsBy: beside !== undefined && beside.readyReplicas > 0 ? beside.image : undefined,
    blocks: (image) =>
      standbySteps({ deployment, led: { ...led, image }, services: ways.services, had, ...(webhooks && { webhooks }) }),
    had,
  }
}

/** A standby looks like another install of the same image: the inventory tells both by their Deployments. */
const running = (
  { installs, shims }: Inventory,
  wanted: ObjectReference,
): { image: string; replicas: number; readyReplicas: number } | undefined =>
  [...installs, ...shims].find(({ deployment, namespace }) => keyOf({ ...deployment, namespace }) === keyOf(wanted))

/**
 * Each path that the API server calls: of admission, by the configurations of before and by those of the run, which may be in
 * force until the pods of before answer; and of conversion where a definition names one at the end.
 */
const webhooksOf = (
  plan: Plan,
  { webhooks, services, forward }: WaysBack & { forward: boolean },
  definitions: DefinitionBack[],
): { service: ObjectReference; paths: string[] } | undefined => {
  const inForce = forward ? appliedBy(plan).filter(({ kind }) => kind.endsWith('WebhookConfiguration')) : []
  const called = [
    ...([...webhooks, ...inForce] as unknown as WebhookConfiguration[]).flatMap(clientsOf),
    ...definitions.flatMap(({ conversion }) => conversion ?? []),
  ]
  const service = services.find(({ metadata }) => metadata.name === called[0]?.service)
  if (service === undefined) return undefined
  const paths = called.filter((each) => each.service === service.metadata.name).map(({ path }) => path)
  return { service: referenceOf(service), paths: [...new Set(paths)].toSorted() }
}

const clientsOf = ({ webhooks = [] }: WebhookConfiguration): { service: string; path: string }[] =>
  webhooks.flatMap(({ clientConfig: { service } }) =>
    service === undefined ? [] : [{ service: service.name, path: service.path ?? '/' }],
  )

/**
 * An autoscaler writes through the scale subresource, which no installer does; the rest belongs to whoever installed the
 * release, as far as it is applied again.
 */
const hadBefore = (before: AnyObject, applied: AnyObject): Replicas => {
  const isApplied = (applied as unknown as Deployment).spec.replicas !== undefined
  const others = (before.metadata.managedFields ?? []).filter(
    ({ subresource }) => !isApplied || subresource === 'scale',
  )
  return replicasOf({ ...before, metadata: { ...before.metadata, managedFields: others } }, [])
}

/** Long enough for the 30 s that pods get to end, and for a node that is slow. */
const SCALE_SECONDS = 120

/** Stops a Deployment that another run may have left; one that is not there has no pods. */
export const stopping = (title: string, deployments: ObjectReference[]): DraftStep => ({
  kind: 'scale',
  title,
  deployments,
  replicas: 'none',
  timeoutSeconds: SCALE_SECONDS,
})

/** Gives Deployments that may have been stopped the replicas that the back-up tells, where the apply does not. */
export const replicasBack = (components: Component[], title = 'Give them their replicas'): DraftStep => ({
  kind: 'scale',
  title,
  deployments: components.map(({ led }) => led.deployment),
  replicas: 'as-before',
  had: Object.fromEntries(components.map(({ led, had }) => [keyOf(led.deployment), had])),
  timeoutSeconds: SCALE_SECONDS,
})

/** Deletes standbys, whoever left them; only those that a run made. */
export const withoutStandby = (components: Component[]): DraftStep[] =>
  components.length === 0
    ? []
    : [
        {
          kind: 'delete',
          title: components.length === 1 ? 'Delete a standby that is left' : 'Delete standbys that are left',
          objects: components.map(({ standby }) => standby),
          onlyCreatedByRuns: true,
        },
      ]
