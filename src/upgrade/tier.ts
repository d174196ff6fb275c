/**
 * Which way each component of a release goes: by a standby wherever that is safe, else where it is, and why not better. Pure.
 *
 * With a standby two versions are up at the same time, and either reads what the other wrote. Where one cannot decode that,
 * nobody gets here: the upgrade stops and goes. Where a version ends, the running release may still read it.
 */
import { undecodable } from '../crds/decodable.ts'
import type {
  AnyObject,
  CustomResourceDefinition,
  ObjectReference,
  WebhookConfiguration,
} from '../kubernetes/objects.ts'
import { keyOf } from '../plan/reference.ts'
import type { Refused } from '../plan/refused.types.ts'
import { type StandbySteps, standbySteps } from '../plan/standby.ts'
import type { Release } from '../releases/release.types.ts'
import type { DefinitionHop } from './definition-hop.ts'
import type { Situation, UpgradeInput } from './plan-upgrade.ts'
import { controllerOf, objectsOf } from './release-parts.ts'
import type { ShimHop } from './shims.ts'

export type Way = { tier: 'standby'; why: string; steps: StandbySteps } | { tier: 'in-place'; why: string }

export interface Ways {
  controller: Way
  /** in the order of the shims that move */
  shims: Way[]
}

const STANDBY =
  'a second Deployment waits under the same Lease and takes over within seconds; two versions side by side, each with namespaces of its own, are not offered yet'
const ASKED_FOR = 'asked for: the Deployments are updated where they are, old and new under one Lease'

/** Fields whose type differs within a version, with the CRD: `modeldeployments.example.ai v1alpha1 spec.engine`. */
export const undecodableFields = ({ inventory }: UpgradeInput, definitions: DefinitionHop[]): string[] =>
  definitions.flatMap(({ wanted }) => {
    const live = inventory.crds.find(({ name }) => name === wanted.metadata.name)?.object
    const fields = live === undefined ? [] : undecodable(live, wanted as unknown as CustomResourceDefinition)
    return fields.map((field) => `${wanted.metadata.name} ${field}`)
  })

/** The best way for each component, or the one that was asked for. Gives a refusal where a standby was asked for in vain. */
export const waysOf = (situation: Situation): Ways | { refused: Refused } => {
  const { input, shims } = situation
  if (input.tier === 'in-place') {
    const way: Way = { tier: 'in-place', why: ASKED_FOR }
    return { controller: way, shims: shims.map(() => way) }
  }
  const obstacle = obstacleOf(situation)
  const controller: Way = obstacle === undefined ? controllerWay(input) : { tier: 'in-place', why: obstacle }
  const ways = shims.map(
    (shim): Way => (obstacle === undefined ? shimWay(shim, input) : { tier: 'in-place', why: obstacle }),
  )
  const stuck = [controller, ...ways].findIndex(({ tier }) => tier === 'in-place')
  if (input.tier !== 'standby' || stuck === -1) return { controller, shims: ways }
  const title = stuck === 0 ? 'The controller' : (shims[stuck - 1]?.led.title.replace(/^t/, 'T') ?? '')
  return {
    refused: {
      message: `${title} cannot go by a standby.`,
      why: `${[controller, ...ways][stuck]?.why ?? ''}.`,
      next: `kubectl airunway upgrade --to ${input.release.version} (the best way for each component)`,
    },
  }
}

/** What stands in the way of every standby in this hop. */
const obstacleOf = ({ definitions }: Situation): string | undefined => {
  const ending = definitions.find((definition) => definition.ending.length > 0)
  return ending === undefined
    ? undefined
    : `${ending.wanted.metadata.name} ${ending.ending.join(', ')} is no longer served, and the running release may still read it`
}

const byStandby = (steps: StandbySteps | { impossible: string }): Way =>
  'impossible' in steps ? { tier: 'in-place', why: steps.impossible } : { tier: 'standby', why: STANDBY, steps }

/** A standby has what is in the release's files: a memory limit that somebody raised would be the low one again. */
const customised = (
  { othersPodFields = {}, noStandby = {} }: UpgradeInput,
  deployment: ObjectReference,
): Way | undefined => {
  const why = noStandby[keyOf(deployment)]
  if (why !== undefined) return { tier: 'in-place', why }
  const fields = othersPodFields[keyOf(deployment)] ?? []
  if (fields.length === 0) return undefined
  const more = fields.length > 2 ? `, and ${fields.length - 2} more` : ''
  return {
    tier: 'in-place',
    why: `its pods have fields that are not from the release, which a standby would lack: ${fields.slice(0, 2).join(', ')}${more}`,
  }
}

const controllerWay = (input: UpgradeInput): Way => {
  const { install, release, liveWebhooks = [] } = input
  if (install.replicas === 0) return { tier: 'in-place', why: 'it has no replicas, so there is nothing to hand over' }
  // Where nobody holds the Lease, a standby would take it before its time.
  if (install.lease !== undefined && !install.lease.fresh)
    return {
      tier: 'in-place',
      why: `no pod of it holds the Lease ${install.lease.name}, so there is nothing to hand over`,
    }
  const { ref } = release.controller
  const touched = customised(input, ref)
  if (touched !== undefined) return touched
  const deployment = objectsOf(release, 'controller').find(
    ({ kind, metadata }) => kind === ref.kind && metadata.name === ref.name,
  )
  if (deployment === undefined) return { tier: 'in-place', why: `the release has no Deployment ${ref.name}` }
  return byStandby(
    standbySteps({
      deployment,
      led: controllerOf(release),
      services: objectsOf(release, 'service'),
      webhooks: {
        service: {
          apiVersion: 'v1',
          kind: 'Service',
          ...(ref.namespace && { namespace: ref.namespace }),
          name: release.product.controller.webhookService,
        },
        paths: webhookPaths(release, liveWebhooks),
      },
    }),
  )
}

/** What the API server asks for now, and what it will ask for. A conversion that ends has ended before the standby comes. */
const webhookPaths = (release: Release, live: AnyObject[]): string[] => {
  const clients = [
    ...[...live, ...objectsOf(release, 'webhookConfiguration')].flatMap((configuration) =>
      ((configuration as unknown as WebhookConfiguration).webhooks ?? []).map(({ clientConfig }) => clientConfig),
    ),
    ...objectsOf(release, 'crd').flatMap((object) => {
      const { conversion } = (object as unknown as CustomResourceDefinition).spec
      return conversion?.strategy === 'Webhook' ? (conversion.webhook?.clientConfig ?? []) : []
    }),
  ]
  const ours = clients.filter(({ service }) => service?.name === release.product.controller.webhookService)
  return [...new Set(ours.map(({ service }) => service?.path ?? '/'))].toSorted()
}

const shimWay = ({ name, objects, led }: ShimHop, input: UpgradeInput): Way => {
  const { inventory, release } = input
  const live = inventory.shims.find((shim) => shim.name === name)
  if (live?.replicas === 0) return { tier: 'in-place', why: 'it has no replicas, so there is nothing to hand over' }
  if (live?.image === led.image) return { tier: 'in-place', why: 'it runs this image already' }
  const touched = customised(input, led.deployment)
  if (touched !== undefined) return touched
  const deployment = objects.find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === led.deployment.name,
  )
  if (deployment === undefined) return { tier: 'in-place', why: 'its files have no Deployment' }
  const services = [...objectsOf(release, 'service'), ...objects.filter(({ kind }) => kind === 'Service')]
  return byStandby(standbySteps({ deployment, led, services }))
}
