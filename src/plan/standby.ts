/**
 * A second Deployment beside the usual one, under the same Lease: it waits, takes over when the usual one's pods are gone,
 * and goes again when the usual one has come back behind it. Building blocks of upgrades and rollbacks. Pure.
 *
 * Its pods differ from the usual ones in as few labels as possible, so that neither the usual Deployment nor any Service
 * picks them, while policies over the other labels still do. A Service is moved to them as a whole, never widened: with
 * both sides behind it, half of the calls would go to a pod that has not been proven to answer.
 */
import type { AnyObject, Deployment, KubernetesObject, ObjectReference } from '../kubernetes/objects.ts'
import type { DraftStep } from './numbering.ts'
import type { RollOutStep, RouteStep } from './plan.types.ts'
import { keyOf, referenceOf } from './reference.ts'
import type { Replicas } from './replicas.ts'
import { type LedDeployment, leaseStep, rollOutStep } from './workloads.ts'

export interface StandbySource {
  /** as it is applied to the usual one */
  deployment: AnyObject
  led: LedDeployment
  /** all Services of its namespace, as they will be applied; those that select its pods must not select the standby's */
  services: AnyObject[]
  /** Service of the webhooks and the paths that have to be answered before anything is routed; undefined for shims */
  webhooks?: { service: ObjectReference; paths: string[] }
  /** what the usual one had before the run that is gone back from, where that run may have stopped it */
  had?: Replicas
}

export interface StandbySteps {
  /** the standby comes up, is proven, and gets the requests */
  arrive: DraftStep[]
  /** the usual one is stopped, and the standby holds the Lease */
  takeOver: DraftStep[]
  /** the usual one is updated, is proven, gets the requests and the Lease; the standby goes */
  comeHome: DraftStep[]
}

/** Long enough for pulling an image, as for a roll-out. */
const STAND_BY_SECONDS = 300
const ROUTE_SECONDS = 60
/** Pods get 30 s to end unless they ask for more; a node that is away holds them longer. */
const SCALE_SECONDS = 120
/**
 * Whoever waits for a Lease looks every 2 to 4.4 s (client-go's retry period and jitter), which is most of a hand-over. Of two
 * that wait, the first to look takes it.
 */
const STANDBY_REPLICAS = 2
const SUFFIX = '-standby'
const LONGEST_LABEL = 63
const LONGEST_NAME = 253

type Labels = Record<string, string>

interface Service extends KubernetesObject {
  spec?: {
    selector?: Labels
    ports?: { port: number; targetPort?: number | string }[]
    [field: string]: unknown
  }
}

/** Name of the second Deployment. */
export const standbyNameOf = (deployment: string): string =>
  `${deployment.slice(0, LONGEST_NAME - SUFFIX.length)}${SUFFIX}`

/** The steps of both hand-overs, or why this Deployment cannot have a standby. */
export const standbySteps = (source: StandbySource): StandbySteps | { impossible: string } => {
  const usual = source.deployment as unknown as Deployment
  const obstacle = obstacleOf(usual, source.led)
  if (obstacle !== undefined) return { impossible: obstacle }
  const labels = usual.spec.template.metadata?.labels ?? {}
  const services = (source.services as unknown as Service[]).filter((service) => picks(service, usual))
  const changed = changedLabels(usual, services)
  if ('impossible' in changed) return changed
  const routed = routedServices(source, services)
  if ('impossible' in routed) return routed
  const standby = standbyOf(usual, { ...labels, ...changed.labels }, changed.labels)
  return assemble(source, standby, routed.services, changed.labels)
}

/** Two pods of it at a time, wherever they land: what would not allow that. */
const obstacleOf = ({ spec: { template } }: Deployment, { container }: LedDeployment): string | undefined => {
  const {
    containers,
    initContainers = [],
    volumes = [],
    hostNetwork,
  } = template.spec as Deployment['spec']['template']['spec'] & {
    initContainers?: typeof containers
    volumes?: Record<string, unknown>[]
  }
  const all = [...containers, ...initContainers]
  if (hostNetwork === true || all.some(({ ports = [] }) => ports.some((port) => 'hostPort' in port)))
    return 'its pods take ports of their node, so two of them may not fit side by side'
  if (volumes.some((volume) => 'persistentVolumeClaim' in volume))
    return 'its pods use a volume that may not be attached to two of them'
  // Off unless it is asked for, with controller-runtime's usual flags.
  const { command = [], args = [] } = containers.find(({ name }) => name === container) ?? {}
  if (![...command, ...args].some((argument) => /^--?leader-elect(=true)?$/.test(argument)))
    return 'its arguments do not ask for leader election, so two of them would work at the same time'
  return undefined
}

const picks = (service: Service, { metadata, spec }: Deployment): boolean => {
  const selector = Object.entries(service.spec?.selector ?? {})
  const labels = spec.template.metadata?.labels ?? {}
  return (
    service.metadata.namespace === metadata.namespace &&
    selector.length > 0 &&
    selector.every(([key, value]) => labels[key] === value)
  )
}

/** Recommended labels say what a pod belongs to, and policies go by them: they are changed last. */
const byUse = (one: string, other: string): number =>
  Number(one.startsWith('app')) - Number(other.startsWith('app')) || (one < other ? -1 : 1)

/** The labels that make the standby's pods nobody else's: the one that most select by, and one of each other Service. */
const changedLabels = (
  { spec: { selector, template } }: Deployment,
  services: Service[],
): { labels: Labels } | { impossible: string } => {
  const expressions = (selector as { matchExpressions?: { key: string }[] }).matchExpressions ?? []
  const free = (keys: Labels | undefined): string[] =>
    Object.keys(keys ?? {})
      .filter((key) => expressions.every((expression) => expression.key !== key))
      .toSorted(byUse)
  const covered = (key: string): number => services.filter(({ spec }) => spec?.selector?.[key] !== undefined).length
  const [own] = free(selector.matchLabels).toSorted((one, other) => covered(other) - covered(one))
  if (own === undefined) return { impossible: 'its selector names no label by value' }
  const keys = new Set([own])
  for (const { metadata, spec } of services) {
    const theirs = free(spec?.selector)
    if (theirs.some((key) => keys.has(key))) continue
    const [key] = theirs
    if (key === undefined) return { impossible: `no label tells its pods from those of the Service ${metadata.name}` }
    keys.add(key)
  }
  const labels = template.metadata?.labels ?? {}
  return { labels: Object.fromEntries([...keys].map((key) => [key, standbyValue(labels[key] ?? '')])) }
}

/** Still a label's value: at most 63 characters, and another one than before. */
const standbyValue = (value: string): string => {
  if (value === '') return SUFFIX.slice(1)
  const head = value.slice(0, LONGEST_LABEL - SUFFIX.length)
  return `${head}${SUFFIX}` === value ? `${SUFFIX.slice(1)}-${head}` : `${head}${SUFFIX}`
}

const routedServices = (
  { webhooks }: StandbySource,
  services: Service[],
): { services: Service[] } | { impossible: string } => {
  if (webhooks === undefined) return { services: [] }
  const routed = services.filter(
    (service) => keyOf(referenceOf(service as unknown as AnyObject)) === keyOf(webhooks.service),
  )
  return routed.length > 0
    ? { services: routed }
    : { impossible: `the Service ${webhooks.service.name} of its webhooks does not select its pods` }
}

/** Nothing but what the pods need: labels and annotations by which tools know their own objects stay with the usual one. */
const standbyOf = ({ apiVersion, kind, metadata, spec }: Deployment, labels: Labels, changed: Labels): AnyObject => {
  const { paused: _paused, strategy: _strategy, replicas: _replicas, selector, template, ...rest } = spec
  const matchLabels = { ...selector.matchLabels, ...only(changed, selector.matchLabels) }
  return {
    apiVersion,
    kind,
    metadata: {
      name: standbyNameOf(metadata.name),
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: matchLabels,
    },
    spec: {
      ...rest,
      replicas: STANDBY_REPLICAS,
      selector: { ...selector, matchLabels },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
}

const only = (values: Labels, keys: Labels | undefined): Labels =>
  Object.fromEntries(Object.entries(values).filter(([key]) => keys?.[key] !== undefined))

const assemble = (source: StandbySource, object: AnyObject, services: Service[], changed: Labels): StandbySteps => {
  const { led } = source
  const usual = led.deployment
  const reference = referenceOf(object)
  const there = services.map((service) => routeStep(`Send requests to the standby`, service, changed))
  const back = services.map((service) => routeStep(`Send requests to ${led.title} again`, service, {}))
  const webhooks = webhooksOf(source, services)
  return {
    arrive: [
      {
        kind: 'stand-by',
        title: `Bring up a standby of ${led.title}`,
        object,
        container: led.container,
        image: led.image,
        ...webhooks,
        timeoutSeconds: STAND_BY_SECONDS,
      },
      ...there,
    ],
    takeOver: [
      // Once more: whoever moved the Service back meanwhile would leave it without any pod.
      ...there.map((step) => ({ ...step, title: 'See that requests still go to the standby' })),
      scaleStep(`Stop ${led.title}`, usual, 'none', source.had),
      leaseStep('Hand the Lease to the standby', [{ ...led, deployment: reference }]),
    ],
    comeHome: [
      { kind: 'apply', title: `Update ${led.title}`, objects: [source.deployment], conflicts: 'keep' },
      // What an autoscaler had set does not come with the object; without replicas there is nothing to roll out.
      scaleStep(`Give ${led.title} its replicas`, usual, 'as-before', source.had),
      { ...rollOutStep(led), ...webhooks },
      ...back,
      scaleStep('Stop the standby', reference, 'none'),
      leaseStep(`Hand the Lease to ${led.title}`, [led]),
      { kind: 'delete', title: 'Delete the standby', objects: [reference], onlyCreatedByRuns: true },
    ],
  }
}

const scaleStep = (
  title: string,
  deployment: ObjectReference,
  replicas: 'none' | 'as-before',
  had?: Replicas,
): DraftStep => ({
  kind: 'scale',
  title,
  deployments: [deployment],
  replicas,
  ...(had && { had: { [keyOf(deployment)]: had } }),
  timeoutSeconds: SCALE_SECONDS,
})

const routeStep = (title: string, service: Service, changed: Labels): Omit<RouteStep, 'id'> => {
  const selector = service.spec?.selector
  return {
    kind: 'route',
    title,
    service: {
      ...service,
      spec: { ...service.spec, selector: { ...selector, ...only(changed, selector) } },
    },
    timeoutSeconds: ROUTE_SECONDS,
  }
}

/** Webhooks are called on port 443 of their Service, unless they say otherwise; what that is on a pod, the Service tells. */
const webhooksOf = ({ webhooks }: StandbySource, [service]: Service[]): Pick<RollOutStep, 'webhooks'> => {
  if (webhooks === undefined || service === undefined) return {}
  const ports = service.spec?.ports ?? []
  const used = ports.find(({ port }) => port === 443) ?? ports[0]
  return { webhooks: { port: used?.targetPort ?? used?.port ?? 443, paths: webhooks.paths } }
}
