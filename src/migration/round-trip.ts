/**
 * Whether a conversion webhook brings back what it converts. A rewrite stores what the webhook makes of an object, and what it
 * leaves out then is gone for ever. No dry run shows that: it is answered from before the conversion to the storage version. So a
 * few objects are rewritten before all others, kept as they were, and read in their old version before and after.
 *
 * A field that is not lost in one object may be lost in another one, so those are taken that have the most fields between them.
 */
import type { JSONSchema } from '../crds/comparison/comparison.types.ts'
import { isSchema, same, schemaOfVersion } from '../crds/comparison/schema-reading.ts'
import type { NodeStep } from '../crds/decode/decode.types.ts'
import { withDefaults } from '../crds/decode/defaults.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { parseExact } from '../kubernetes/exact-json.ts'
import type { AnyObject, CustomResourceDefinition } from '../kubernetes/objects.ts'
import { objectPath } from '../kubernetes/resources.ts'
import { apiError, parseBody, requestLine } from '../kubernetes/status-error.ts'
import { schemaPath } from './losses-in-schemas.ts'
import { wholeObjects } from './losses-pages.ts'
import type { MigrationTarget, ObjectName } from './migration.types.ts'

export interface RoundTripOptions {
  /** versions that may be stored; those of status.storedVersions unless told otherwise, as it is after a trim by hand */
  stored?: readonly string[]
  /** fields that may be lost: `spec.size` */
  accepted: readonly string[]
  /** Objects as they were, of an earlier process that may have died after it had written them. */
  kept: readonly AnyObject[]
  /** told before each write: the objects that are written by now, and the one that will be, as they were */
  keep: (objects: AnyObject[]) => Promise<void>
  signal?: AbortSignal
}

/** What the first objects have shown. */
export interface RoundTrip {
  /** rewritten by it */
  rewritten: number
  requests: number
  /** read before and after */
  compared: ObjectName[]
  /** fields that no object that was compared has */
  untried: string[]
  /** the first object that lost something; no other one was written after it */
  lost?: ObjectName & { version: string; fields: string[] }
}

const mostCompared = 5
const mostTries = 8
const mostFeatures = 500
const candidatesPerFeature = 5

/** Rewrites a few objects of each version that may be stored, and compares. Reads nothing without a webhook. Throws ApiError. */
export async function tryRoundTrip(
  client: Pick<KubernetesClient, 'raw'>,
  crd: CustomResourceDefinition,
  target: MigrationTarget,
  options: RoundTripOptions,
): Promise<RoundTrip> {
  const found: RoundTrip = { rewritten: 0, requests: 0, compared: [], untried: [] }
  if (target.conversion !== 'Webhook') return found
  const counted: typeof client = {
    raw: (request) => {
      found.requests += 1
      return client.raw(request)
    },
  }
  const others = (options.stored ?? target.storedVersions).filter((version) => version !== target.storageVersion)
  for (const version of others.filter((each) => target.served.includes(each))) {
    await new Trial(counted, crd, target, version, options).run(found)
    if (found.lost) break
  }
  return found
}

class Trial {
  readonly #client: Pick<KubernetesClient, 'raw'>
  readonly #target: MigrationTarget
  readonly #version: string
  readonly #schema: JSONSchema
  readonly #options: RoundTripOptions
  /** as they were, those of an earlier process too */
  readonly #written: AnyObject[]

  constructor(
    client: Pick<KubernetesClient, 'raw'>,
    crd: CustomResourceDefinition,
    target: MigrationTarget,
    version: string,
    options: RoundTripOptions,
  ) {
    this.#client = client
    this.#target = target
    this.#version = version
    this.#options = options
    const own = `${target.group}/${version}`
    this.#written = options.kept.filter(({ apiVersion }) => apiVersion === own)
    const of = crd.spec.versions.find(({ name }) => name === version)
    this.#schema = (of && schemaOfVersion(of)) ?? {}
  }

  async run(found: RoundTrip): Promise<void> {
    for (const before of this.#written) {
      const after = await this.#read(before.metadata)
      if (after !== undefined && isRewritten(before, after)) this.#judge(ownFields(before), ownFields(after), found)
      if (found.lost) return
    }
    const features = new Features(this.#schema)
    for await (const page of wholeObjects(this.#client, this.#target, this.#version, this.#options.signal)) {
      for (const object of page) features.see(object)
    }
    const most = found.compared.length + mostCompared
    for (let tries = 0; tries < mostTries && found.compared.length < most; tries++) {
      const next = features.next()
      if (next === undefined) break
      if (await this.#try(next, found)) features.tried(next)
      if (found.lost) return
    }
    found.untried.push(...features.untried())
  }

  /** Whether the object was rewritten and compared. One at a time: none is written after one that has lost something. */
  async #try(named: ObjectName, found: RoundTrip): Promise<boolean> {
    const before = await this.#read(named)
    if (before === undefined) return false
    await this.#options.keep([...this.#written, before])
    const written = await this.#write(before)
    // With the same resourceVersion it was stored at the storage version already, and tells nothing of those that are not.
    if (written === before.metadata.resourceVersion) return false
    this.#written.push(before)
    const after = await this.#read(before.metadata)
    if (written === undefined) {
      // Refused, or written by somebody else in between: the passes deal with that. But where the answer was lost, the write that
      // was sent again conflicts with itself: so what has been lost is told, whoever wrote it.
      if (
        after !== undefined &&
        isRewritten(before, after) &&
        this.#lost(ownFields(before), ownFields(after)).length > 0
      )
        this.#judge(ownFields(before), ownFields(after), found)
      return false
    }
    found.rewritten += 1
    if (after?.metadata.resourceVersion !== written) return false
    this.#judge(before, after, found)
    return true
  }

  #judge(before: AnyObject, after: AnyObject, found: RoundTrip): void {
    const { name, namespace } = before.metadata
    const object = { ...(namespace !== undefined && { namespace }), name }
    found.compared.push(object)
    const lost = this.#lost(before, after)
    if (lost.length > 0) found.lost = { ...object, version: this.#version, fields: lost }
  }

  #lost(before: AnyObject, after: AnyObject): string[] {
    return lostFields(this.#schema, before, after).filter((path) => !this.#options.accepted.includes(path))
  }

  async #read({ name, namespace }: ObjectName): Promise<AnyObject | undefined> {
    const path = objectPath(this.#resource(this.#version), namespace, name)
    const answer = await this.#client.raw({ method: 'GET', path, ...this.#signal() })
    const request = requestLine('GET', path)
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw apiError(request, answer)
    return parseBody<AnyObject>(request, answer, parseExact)
  }

  /** The resourceVersion that the object has then; undefined where it was not written. */
  async #write({ metadata }: AnyObject): Promise<string | undefined> {
    const { name, namespace, resourceVersion } = metadata
    for (const subresource of [undefined, ...(this.#target.statusSubresource ? (['status'] as const) : [])]) {
      const path = objectPath(this.#resource(this.#target.requestVersion), namespace, name, subresource)
      const answer = await this.#client.raw({
        method: 'PATCH',
        path: `${path}?fieldManager=kubectl-airunway`,
        body: JSON.stringify({ metadata: { resourceVersion } }),
        contentType: 'application/merge-patch+json',
        accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json',
        ...this.#signal(),
      })
      if (answer.status !== 200) continue
      return parseBody<AnyObject>(requestLine('PATCH', path), answer).metadata.resourceVersion
    }
    return undefined
  }

  #resource(version: string): Parameters<typeof objectPath>[0] {
    const { group, plural, kind, namespaced } = this.#target
    return { group, version, plural, kind, namespaced }
  }

  #signal(): { signal?: AbortSignal } {
    const { signal } = this.#options
    return signal ? { signal } : {}
  }
}

/** Written since, but by nobody who may have taken out fields on purpose: that would have counted the generation up. */
const isRewritten = ({ metadata: one }: AnyObject, { metadata: other }: AnyObject): boolean =>
  one.uid === other.uid && one.generation === other.generation && one.resourceVersion !== other.resourceVersion

/** What counts the generation up. */
const ownFields = ({ status: _status, metadata, ...rest }: AnyObject): AnyObject => {
  const { name, namespace } = metadata
  return { ...rest, metadata: { name, ...(namespace !== undefined && { namespace }) } }
}

interface Candidate extends ObjectName {
  features: ReadonlySet<string>
}

/** Which fields the objects have, and which object shows most of those that no other one has shown yet. */
class Features {
  readonly #schema: JSONSchema
  /** how many candidates have it */
  readonly #seen = new Map<string, number>()
  readonly #left = new Set<string>()
  #candidates: Candidate[] = []
  /** The more fields one object has, the more is known after the first one. */
  #richest = 0

  constructor(schema: JSONSchema) {
    this.#schema = schema
  }

  see({ metadata, apiVersion: _apiVersion, kind: _kind, ...rest }: AnyObject): void {
    const features = new Set<string>([''])
    note(this.#schema, rest, [], features)
    const rare = [...features].some((feature) => (this.#seen.get(feature) ?? 0) < candidatesPerFeature)
    // Where nothing has a schema, each object may have names of its own.
    if (!(rare && this.#seen.size <= mostFeatures) && features.size <= this.#richest) return
    this.#richest = Math.max(this.#richest, features.size)
    for (const feature of features) {
      this.#seen.set(feature, (this.#seen.get(feature) ?? 0) + 1)
      this.#left.add(feature)
    }
    const { name, namespace } = metadata
    this.#candidates.push({ ...(namespace !== undefined && { namespace }), name, features })
  }

  /** The next one to try; undefined where none would show anything new. */
  next(): Candidate | undefined {
    const [best] = this.#candidates.toSorted((one, other) => this.#gain(other) - this.#gain(one))
    if (best === undefined || this.#gain(best) === 0) return undefined
    this.#candidates = this.#candidates.filter((each) => each !== best)
    return best
  }

  tried({ features }: Candidate): void {
    for (const feature of features) this.#left.delete(feature)
  }

  untried(): string[] {
    return [...new Set([...this.#left].map((feature) => feature.replace(/#several$/, '')))].filter(
      (each) => each !== '',
    )
  }

  #gain({ features }: Candidate): number {
    return [...features].filter((feature) => this.#left.has(feature)).length
  }
}

/** The places of the values in the schema. Of a list with several items a conversion may keep the first. */
function note(schema: JSONSchema, value: unknown, path: readonly NodeStep[], features: Set<string>): void {
  if (isEmpty(value)) return
  if (path.length > 0) features.add(schemaPath(schema, path))
  if (Array.isArray(value) && value.length > 1) features.add(`${schemaPath(schema, path)}#several`)
  for (const [step, entry] of entriesOf(value)) note(schema, entry, [...path, step], features)
}

const entriesOf = (value: unknown): [NodeStep, unknown][] => {
  if (Array.isArray(value)) return value.map((entry: unknown, index) => [index, entry])
  return isFields(value) ? Object.entries(value) : []
}

/** Integers that JavaScript does not have come as objects without a prototype. */
const isFields = (value: unknown): value is Record<string, unknown> =>
  isSchema(value) && Object.getPrototypeOf(value) !== null

/** A conversion may leave out what says nothing. */
const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) && value.length === 0) ||
  (isFields(value) && Object.values(value).every(isEmpty))

/**
 * The fields of an object, as one version shows it, that are not there any more, or have another value. What has come is nothing
 * lost. Defaults are filled in before the comparison, for the API server does not do that after a conversion.
 */
export function lostFields(schema: JSONSchema, before: AnyObject, after: AnyObject): string[] {
  const paths: NodeStep[][] = []
  compare(comparable(before), withDefaults(comparable(after), schema, [], []), [], paths)
  return [...new Set(paths.map((path) => schemaPath(schema, path)))]
}

/** Of metadata what a conversion may change. */
function comparable({ apiVersion: _apiVersion, kind: _kind, metadata, ...rest }: AnyObject): Record<string, unknown> {
  const { labels = {}, annotations = {} } = metadata
  return { ...rest, metadata: { labels, annotations } }
}

function compare(before: unknown, after: unknown, path: readonly NodeStep[], lost: NodeStep[][]): void {
  if (isEmpty(before) || same(before, after)) return
  const others = new Map(entriesOf(after))
  const isBranch = Array.isArray(before) ? Array.isArray(after) : isFields(before) && isFields(after)
  if (!isBranch) lost.push([...path])
  else for (const [step, entry] of entriesOf(before)) compare(entry, others.get(step), [...path, step], lost)
}
