/**
 * A cluster as far as plans go, in memory: what each step leaves behind, and what is wrong after it. Just the traits on which
 * the order of steps depends: who has pods, who holds a Lease, where a Service leads, which versions a CRD has and who answers
 * its conversion. Where reality may go either way (who of several takes a free Lease) it takes the worse one.
 */
import type { Backup } from '../../../src/backup/backup.types.ts'
import type { Inventory } from '../../../src/installation/inventory.types.ts'
import type {
  AnyObject,
  CustomResourceDefinition,
  Deployment,
  ObjectReference,
  WebhookConfiguration,
} from '../../../src/kubernetes/objects.ts'
import { canonicalJson } from '../../../src/plan/hash.ts'
import type { Step, StepOf } from '../../../src/plan/plan.types.ts'
import { keyOf, referenceOf } from '../../../src/plan/reference.ts'
import { RUN_LABEL } from '../../../src/plan/run-label.ts'
import { standbyNameOf } from '../../../src/plan/standby.ts'
import type { Release } from '../../../src/releases/release.types.ts'
import { crdState, runningOn } from '../../support/upgrade-samples.ts'

type Labels = Record<string, string>
type LiveDeployment = Deployment & AnyObject
interface Service extends AnyObject {
  spec: { selector: Labels }
}

const isWebhook = ({ kind }: { kind: string }): boolean => kind.endsWith('WebhookConfiguration')

export class SimulatedCluster {
  /** never changed in place, so that a copy is cheap */
  readonly objects: Map<string, AnyObject>
  /** Lease -> key of the Deployment whose pod holds it */
  readonly holders: Map<string, string | undefined>
  /** replicas that the run under way has kept */
  readonly had = new Map<string, number>()
  /** Lease by Deployment, standbys too */
  readonly #leases: Map<string, string>
  readonly #releases: Release[]

  private constructor(
    releases: Release[],
    {
      objects,
      holders,
      leases,
    }: Record<'objects', Map<string, AnyObject>> &
      Record<'holders', Map<string, string | undefined>> &
      Record<'leases', Map<string, string>>,
  ) {
    this.#releases = releases
    this.objects = new Map(objects)
    this.holders = new Map(holders)
    this.#leases = leases
  }

  /** One on which just this release runs; `releases` are those whose images it knows. */
  static running(release: Release, releases: Release[]): SimulatedCluster {
    const cluster = new SimulatedCluster(releases, { objects: new Map(), holders: new Map(), leases: new Map() })
    for (const object of [...release.objects.map((each) => each.object), ...release.shims.flatMap(pinnedObjects)])
      cluster.#set(object)
    for (const deployment of cluster.deployments()) {
      const lease = leaseOf(release, deployment.metadata.name)
      const usual = referenceOf(deployment)
      if (lease === undefined) continue
      cluster.#leases.set(keyOf(usual), lease)
      cluster.#leases.set(keyOf({ ...usual, name: standbyNameOf(usual.name) }), lease)
      cluster.holders.set(lease, keyOf(usual))
    }
    return cluster
  }

  copy(): SimulatedCluster {
    return new SimulatedCluster(this.#releases, { objects: this.objects, holders: this.holders, leases: this.#leases })
  }

  deployments(): LiveDeployment[] {
    return this.#ofKind('Deployment') as LiveDeployment[]
  }

  definitions(): CustomResourceDefinition[] {
    return this.#ofKind('CustomResourceDefinition') as unknown as CustomResourceDefinition[]
  }

  /** What a planner is given. */
  inventory(): Inventory {
    const [sample] = this.#releases.map(runningOn)
    const [install] = sample?.installs ?? []
    const [shim] = sample?.shims ?? []
    if (sample === undefined || install === undefined || shim === undefined) throw new Error('no sample')
    const seen = this.deployments().map((deployment) => ({
      namespace: deployment.metadata.namespace ?? '',
      deployment: { ...referenceOf(deployment), uid: 'uid' },
      image: imageOf(deployment),
      replicas: replicasOf(deployment),
      readyReplicas: replicasOf(deployment),
    }))
    const isController = ({ deployment }: (typeof seen)[number]): boolean =>
      deployment.name.startsWith(install.deployment.name)
    return {
      ...sample,
      installs: seen.filter(isController).map((each) => ({ ...install, ...each })),
      shims: seen
        .filter((each) => !isController(each))
        .map((each) => ({ ...shim, ...each, name: each.deployment.name.split('-')[1] ?? '' })),
      crds: this.definitions().map((crd) => crdState(crd as unknown as AnyObject)),
    }
  }

  /** What the step `back-up` keeps. */
  backup(step: StepOf<'back-up'>): Backup {
    const found = step.objects.map((ref) => this.objects.get(keyOf(ref)))
    return {
      takenAt: '2026-11-22T12:00:00Z',
      objects: found.flatMap((object) => (object === undefined ? [] : [{ object, applied: withoutReplicas(object) }])),
      absent: step.objects.filter((ref) => !this.objects.has(keyOf(ref))),
      collections: {},
    }
  }

  /** Carries a step out, or `half` of it: it was killed between two writes. Throws where the step would fail or wait in vain. */
  carryOut(step: Step, half = false): void {
    if (step.kind === 'apply') for (const object of half ? firstHalf(step.objects) : step.objects) this.#apply(object)
    if (step.kind === 'withdraw-version') this.#withdraw(step)
    if (step.kind === 'stand-by') this.#standBy(step)
    if (step.kind === 'scale') for (const ref of step.deployments) this.#scale(ref, step)
    if (step.kind === 'await-lease')
      for (const { lease, deployment, image } of step.leases) this.#takeLease(lease.name, deployment, image)
    if (step.kind === 'await-admission') this.#admit()
    if (step.kind === 'delete') for (const ref of step.objects) this.#delete(ref, step)
    if (step.kind === 'compare-baseline')
      for (const { deployment, image } of step.images) this.#expectPods(deployment, image)
    if (step.kind === 'route') {
      this.#set(step.service)
      if (this.podsOf(step.service).length === 0) throw new Error('no pod gets requests')
    }
    if (step.kind === 'roll-out') {
      this.#expectPods(step.deployment, step.image)
      if (step.webhooks !== undefined) this.#expectAnswers(step.image, step.webhooks.paths)
    }
  }

  /** Deployments that have pods which a Service selects. */
  podsOf(service: AnyObject): LiveDeployment[] {
    const selector = Object.entries((service as Service).spec.selector)
    return this.deployments().filter((deployment) => {
      const labels = deployment.spec.template.metadata?.labels ?? {}
      return replicasOf(deployment) > 0 && selector.every(([key, value]) => labels[key] === value)
    })
  }

  /** What the API server cannot do now: calls to webhooks that nobody, or not everybody behind the Service, answers. */
  troubles(): string[] {
    const configured = (this.#ofKind('MutatingWebhookConfiguration') as unknown as WebhookConfiguration[])
      .concat(this.#ofKind('ValidatingWebhookConfiguration') as unknown as WebhookConfiguration[])
      .flatMap(({ webhooks = [] }) => webhooks.map(({ clientConfig }) => clientConfig.service))
    const converted = this.definitions().flatMap(({ spec: { conversion } }) =>
      conversion?.strategy === 'Webhook' ? [conversion.webhook?.clientConfig?.service] : [],
    )
    return [...configured, ...converted].flatMap((wanted) => {
      const service = this.#ofKind('Service').find(({ metadata }) => metadata.name === wanted?.name)
      const pods = service === undefined ? [] : this.podsOf(service)
      if (pods.length === 0) return [`nobody answers ${wanted?.path}`]
      const silent = pods.find((pod) => !this.#answers(imageOf(pod)).includes(wanted?.path ?? ''))
      return silent === undefined ? [] : [`${imageOf(silent)} does not answer ${wanted?.path}`]
    })
  }

  /** Roles that lack a rule which a pod needs by its release. */
  missingRights(): string[] {
    return this.deployments()
      .filter((deployment) => replicasOf(deployment) > 0)
      .flatMap((deployment) =>
        (this.#releaseOf(imageOf(deployment))?.objects ?? [])
          .filter(({ object }) => object.kind === 'Role' || object.kind === 'ClusterRole')
          .filter(({ object }) => {
            const live = this.objects.get(keyOf(referenceOf(object)))
            const granted = new Set(live === undefined ? [] : rulesOf(live))
            return rulesOf(object).some((rule) => !granted.has(rule))
          })
          .map(({ object }) => `${imageOf(deployment)} lacks rights of ${object.metadata.name}`),
      )
  }

  /** Shims that read a version which is not served: the one that their release stores. */
  blindShims(): string[] {
    return this.deployments().flatMap((deployment) => {
      const release = this.#releases.find(({ shims }) => shims.some((shim) => shim.pinnedImage === imageOf(deployment)))
      const wanted = release?.objects.find(
        ({ object }) => object.metadata.name === release.product.crds.modelDeployments,
      )
      const live = wanted && this.objects.get(keyOf(referenceOf(wanted.object)))
      if (wanted === undefined || live === undefined || replicasOf(deployment) === 0) return []
      const read = versionsOf(wanted.object).find(({ storage }) => storage)?.name
      const isServed = versionsOf(live).some(({ name, served }) => served && name === read)
      return isServed ? [] : [`${imageOf(deployment)} cannot read ${read}`]
    })
  }

  /** All that a way back has to bring back, comparable: a text for each object. Schemas stay as a superset, so versions go by name. */
  state(): Record<string, string | undefined> {
    const objects = [...this.objects].map(([key, object]): [string, string | undefined] => [key, textOf(object)])
    return Object.fromEntries([...objects, ...this.holders].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  #ofKind(kind: string): AnyObject[] {
    return [...this.objects.values()].filter((object) => object.kind === kind)
  }

  #set(object: AnyObject): void {
    this.objects.set(keyOf(referenceOf(object)), object)
  }

  #apply(wanted: AnyObject): void {
    const live = this.objects.get(keyOf(referenceOf(wanted))) as LiveDeployment | undefined
    if (wanted.kind !== 'Deployment' || live === undefined) return this.#set(wanted)
    const { spec } = wanted as LiveDeployment
    // What nobody applies stays as it is: a Deployment that was stopped stays so.
    this.#set({ ...wanted, spec: { ...spec, replicas: spec.replicas ?? replicasOf(live) } })
    // Its pod goes, and with it the Lease: whoever waits may take it.
    if (imageOf(live) !== imageOf(wanted as LiveDeployment)) this.#release(keyOf(referenceOf(wanted)))
    return undefined
  }

  #withdraw({ definition, versions, conversion }: StepOf<'withdraw-version'>): void {
    const crd = this.definitions().find(({ metadata }) => metadata.name === definition)
    if (crd === undefined) throw new Error(`${definition} is gone`)
    if (crd.spec.versions.some(({ name, storage }) => storage && versions.includes(name))) throw new Error('stored')
    const spec = {
      ...crd.spec,
      versions: crd.spec.versions.filter(({ name }) => !versions.includes(name)),
      ...(conversion === 'None' && { conversion: { strategy: 'None' } }),
    }
    this.#set({ ...crd, spec })
  }

  #standBy(step: StepOf<'stand-by'>): void {
    const key = keyOf(referenceOf(step.object))
    const live = this.objects.get(key) as LiveDeployment | undefined
    if (live !== undefined && imageOf(live) !== step.image) {
      this.objects.delete(key)
      this.#release(key)
    }
    const { metadata } = step.object
    this.#set({ ...step.object, metadata: { ...metadata, labels: { ...metadata.labels, [RUN_LABEL]: '1' } } })
    if (step.webhooks !== undefined) this.#expectAnswers(step.image, step.webhooks.paths)
    this.#contend()
  }

  #scale(ref: ObjectReference, step: StepOf<'scale'>): void {
    const live = this.objects.get(keyOf(ref)) as LiveDeployment | undefined
    if (live === undefined) return
    if (step.replicas === 'none') {
      if (!this.had.has(keyOf(ref))) this.had.set(keyOf(ref), step.had?.[keyOf(ref)]?.replicas ?? replicasOf(live))
      this.#set({ ...live, spec: { ...live.spec, replicas: 0 } })
      this.#release(keyOf(ref))
      return
    }
    const had = this.had.get(keyOf(ref)) ?? step.had?.[keyOf(ref)]?.replicas
    if (had !== undefined && replicasOf(live) === 0) this.#set({ ...live, spec: { ...live.spec, replicas: had } })
    this.#contend()
  }

  /** Gives up the Leases of a Deployment; another one that waits for it takes it at once. */
  #release(key: string): void {
    for (const [lease, holder] of this.holders) if (holder === key) this.holders.set(lease, undefined)
    this.#contend(key)
  }

  #contend(but?: string): void {
    for (const [lease, holder] of this.holders) {
      if (holder !== undefined) continue
      const waiting = this.deployments().find((deployment) => {
        const key = keyOf(referenceOf(deployment))
        return key !== but && replicasOf(deployment) > 0 && this.#leases.get(key) === lease
      })
      if (waiting !== undefined) this.holders.set(lease, keyOf(referenceOf(waiting)))
    }
  }

  #takeLease(lease: string, wanted: ObjectReference, image: string): void {
    this.#expectPods(wanted, image)
    const holder = this.holders.get(lease)
    if (holder !== undefined && holder !== keyOf(wanted)) throw new Error(`${lease} is held by ${holder}, which works`)
    this.holders.set(lease, keyOf(wanted))
  }

  #admit(): void {
    const [trouble] = this.troubles()
    if (trouble !== undefined) throw new Error(trouble)
  }

  #delete(ref: ObjectReference, step: StepOf<'delete'>): void {
    const live = this.objects.get(keyOf(ref))
    if (['CustomResourceDefinition', 'Namespace'].includes(ref.kind)) throw new Error(`${ref.kind} is never deleted`)
    if (live === undefined) return
    if (step.onlyCreatedByRuns === true && live.metadata.labels?.[RUN_LABEL] === undefined) return
    this.objects.delete(keyOf(ref))
    this.#release(keyOf(ref))
  }

  #expectPods(ref: ObjectReference, image: string): void {
    const live = this.objects.get(keyOf(ref)) as LiveDeployment | undefined
    if (live === undefined || replicasOf(live) === 0) throw new Error(`${ref.name} has no pods`)
    if (imageOf(live) !== image) throw new Error(`${ref.name} runs ${imageOf(live)} and not ${image}`)
  }

  #expectAnswers(image: string, paths: string[]): void {
    const silent = paths.find((path) => !this.#answers(image).includes(path))
    if (silent !== undefined) throw new Error(`${image} does not answer ${silent}`)
  }

  /** What a controller answers: the paths that its release configures. */
  #answers(image: string): string[] {
    const objects = (this.#releaseOf(image)?.objects ?? []).map(({ object }) => object)
    return [
      ...objects
        .filter(isWebhook)
        .flatMap((object) => (object as unknown as WebhookConfiguration).webhooks ?? [])
        .flatMap(({ clientConfig: { service } }) => service?.path ?? []),
      ...objects
        .filter(({ kind }) => kind === 'CustomResourceDefinition')
        .flatMap((object) => {
          const { conversion } = (object as unknown as CustomResourceDefinition).spec
          return conversion?.webhook?.clientConfig?.service?.path ?? []
        }),
    ]
  }

  #releaseOf(image: string): Release | undefined {
    return this.#releases.find(({ controller }) => controller.pinnedImage === image)
  }
}

/** As where an autoscaler owns the number: no apply brings it back. */
const withoutReplicas = (object: AnyObject): AnyObject => {
  if (object.kind !== 'Deployment') return object
  const { replicas: _replicas, ...spec } = (object as LiveDeployment).spec
  return { ...object, spec }
}

const firstHalf = <T>(all: T[]): T[] => all.slice(0, all.length / 2)

const versionsOf = (crd: AnyObject): CustomResourceDefinition['spec']['versions'] =>
  (crd as unknown as CustomResourceDefinition).spec.versions

const known = { texts: new WeakMap<AnyObject, string>(), rules: new WeakMap<AnyObject, string[]>() }

/** Objects never change in place, so each is looked at once. */
const once = <T>(table: WeakMap<AnyObject, T>, object: AnyObject, make: () => T): T => {
  const before = table.get(object)
  if (before !== undefined) return before
  const made = make()
  table.set(object, made)
  return made
}

const rulesOf = (role: AnyObject): string[] =>
  once(known.rules, role, () => ((role['rules'] ?? []) as unknown[]).map((rule) => JSON.stringify(rule)))

const textOf = (object: AnyObject): string =>
  once(known.texts, object, () => {
    if (object.kind !== 'CustomResourceDefinition') return canonicalJson(object)
    const { spec } = object as unknown as CustomResourceDefinition
    const versions = spec.versions.map(({ name, served, storage }) => `${name} ${served} ${storage}`)
    return [...versions.toSorted(), spec.conversion?.strategy ?? 'None'].join()
  })

const replicasOf = ({ spec: { replicas = 1 } }: Deployment): number => replicas
const imageOf = ({ spec }: Deployment): string => spec.template.spec.containers[0]?.image ?? ''

const leaseOf = ({ product }: Release, name: string): string | undefined =>
  product.controller.deployment === name
    ? product.controller.lease
    : product.shims.find(({ deployment }) => deployment === name)?.lease

const pinnedObjects = (shim: Release['shims'][number]): AnyObject[] =>
  JSON.parse(JSON.stringify(shim.objects).replaceAll(shim.image, shim.pinnedImage ?? shim.image)) as AnyObject[]
