/**
 * What a rewrite would drop for ever. With conversion None the API server changes nothing but the apiVersion of an object that is
 * stored in another version, and prunes it by the schema of the storage version.
 *
 * In which version an object is stored cannot be seen. But the server prunes what it reads from the store by the schema of the
 * version that it is stored in, and then by that of the version that was asked for: a field that only one version has can be seen
 * in that version alone, and only in objects that are stored in it. So objects are read whole in each version that may be stored.
 *
 * With a webhook nothing can be shown beforehand: a rewrite stores what the webhook makes of the object, and only after it has been
 * stored can it be read back through the other conversion; a dry run is answered from before the conversion to the storage
 * version. Such a migration is reported as unchecked, and the first objects that it rewrites are compared (round-trip.ts).
 */
import type { JSONSchema } from '../crds/comparison/comparison.types.ts'
import { isSchema, same, schemaOfVersion } from '../crds/comparison/schema-reading.ts'
import type { NodeStep } from '../crds/decode/decode.types.ts'
import { withDefaults } from '../crds/decode/defaults.ts'
import { coerceEmbedded } from '../crds/decode/embedded.ts'
import { type Pruned, pruneNode } from '../crds/decode/prune.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { AnyObject, CustomResourceDefinition } from '../kubernetes/objects.ts'
import { prunable, schemaPath } from './losses-in-schemas.ts'
import { wholeObjects } from './losses-pages.ts'
import type { MigrationTarget } from './migration.types.ts'
import type { LossReport, LostField, LostValue, UncheckedLoss } from './survey.types.ts'

export interface LossOptions {
  /** the versions that may be stored; those of status.storedVersions unless told otherwise, as it is after a trim by hand */
  stored?: readonly string[]
  /** told each value that would go, for a back-up; the next page is read when it has ended */
  keep?: (lost: LostValue) => void | Promise<void>
  /** told the number of objects read of a version, after each page */
  onProgress?: (version: string, objects: number) => void
  signal?: AbortSignal
}

/** How the bytes of one version come to be bytes of the storage version: through the version of the request. */
export interface RewritePath {
  version: string
  served: boolean
  /** of that version */
  schema: JSONSchema
  /** of the versions after it */
  through: JSONSchema[]
  /** fields that can be lost on the way */
  fields: string[]
}

const mostExamples = 20

/** The fields that a rewrite would drop, with the objects that have them. Reads nothing where no schema loses anything. */
export async function lossesOf(
  client: KubernetesClient,
  crd: CustomResourceDefinition,
  target: MigrationTarget,
  options: LossOptions = {},
): Promise<LossReport> {
  const report: LossReport = { definition: target.definition, checked: [], fields: [], unchecked: [] }
  const stored = options.stored ?? target.storedVersions
  if (target.conversion === 'Webhook') {
    return {
      ...report,
      unchecked: stored.filter((version) => version !== target.storageVersion).map(convertedByWebhook),
    }
  }
  for (const way of rewritePaths(crd, target, stored)) {
    if (!way.served) report.unchecked.push(notServed(way, target))
    else await readThrough(client, target, way, report, options)
  }
  return report
}

/** The ways on which something can be lost, of the versions that may be stored. */
export function rewritePaths(
  crd: CustomResourceDefinition,
  target: MigrationTarget,
  stored: readonly string[],
): RewritePath[] {
  // The old way of a definition to keep whatever it is given, left from apiextensions.k8s.io/v1beta1.
  if (crd.spec['preserveUnknownFields'] === true) return []
  const schemas = new Map<string, JSONSchema>(
    crd.spec.versions.map((version) => [version.name, schemaOfVersion(version) ?? {}]),
  )
  return stored.flatMap((version) => {
    const schema = schemas.get(version)
    if (schema === undefined) return []
    const names = new Set([target.requestVersion, target.storageVersion])
    const stations = [...names].map((name) => schemas.get(name) ?? {})
    const fields = [...new Set(stations.flatMap((station) => (station === schema ? [] : prunable(schema, station))))]
    const served = target.served.includes(version)
    return fields.length === 0 ? [] : [{ version, served, schema, through: stations, fields }]
  })
}

/** One value of an object, by its place. */
export interface LostAt extends Pruned {
  isDefault: boolean
}

/**
 * What of an object, as it is read in its version, is not there any more after the rewrite. The API server fills defaults in when
 * it reads a request, and when it reads from the store by the schema of the version that is stored, but not after a conversion:
 * so defaults go too, and whoever reads the old version sees them go. But they can be told from what somebody has set.
 */
export function lostIn({ schema, through }: Pick<RewritePath, 'schema' | 'through'>, object: AnyObject): LostAt[] {
  let value: unknown = object
  const lost: Pruned[] = []
  for (const station of through) {
    // Items of a list keep their places, so that the paths of the next station are those of the object too.
    const known = pruneNode(rootOf(station), value)
    lost.push(...known.pruned)
    // Where a field has become an embedded resource, the server leaves out of its metadata what it cannot decode.
    value = coerceEmbedded(known.value, station, [], { dropMalformed: true, pruned: lost, invalid: [] })
  }
  if (lost.length === 0) return []
  const again = withDefaults(value, schema, [], [])
  return lost.map((gone) => ({ ...gone, isDefault: same(valueAt(again, gone.path), gone.value) }))
}

/**
 * The fields that nobody has accepted to lose: those with values of their own, and those that nobody can look at. What a webhook
 * leaves out is not among them.
 */
export function unacceptedLosses({ fields, unchecked }: LossReport, accepted: readonly string[]): string[] {
  const lost = fields.filter(({ objects }) => objects > 0).map(({ path }) => path)
  const paths = new Set([...lost, ...unchecked.flatMap((each) => each.fields)])
  return [...paths].filter((path) => !accepted.includes(path))
}

async function readThrough(
  client: KubernetesClient,
  target: MigrationTarget,
  way: RewritePath,
  report: LossReport,
  options: LossOptions,
): Promise<void> {
  const { version } = way
  const fields = new Map<string, LostField>()
  let objects = 0
  for await (const page of wholeObjects(client, target, version, options.signal)) {
    for (const object of page) {
      const lost = lostIn(way, object)
      note(fields, way, object, lost)
      if (options.keep) for (const value of lost) await options.keep(lostValue(version, object, value))
    }
    objects += page.length
    options.onProgress?.(version, objects)
  }
  report.checked.push({ version, objects })
  report.fields.push(...[...fields.values()].toSorted((one, other) => other.objects - one.objects))
}

function note(fields: Map<string, LostField>, way: RewritePath, object: AnyObject, lost: readonly LostAt[]): void {
  const { name, namespace } = object.metadata
  const ofObject = new Map<string, boolean>()
  for (const { path, isDefault } of lost) {
    const place = schemaPath(way.schema, path)
    ofObject.set(place, isDefault && ofObject.get(place) !== false)
  }
  for (const [path, isDefault] of ofObject) {
    const field = fields.get(path) ?? { path, version: way.version, objects: 0, defaults: 0, examples: [] }
    fields.set(path, field)
    if (isDefault) field.defaults++
    else field.objects++
    if (isDefault || field.examples.length === mostExamples) continue
    field.examples.push({ ...(namespace !== undefined && { namespace }), name })
  }
}

const lostValue = (version: string, { metadata }: AnyObject, { path, value, isDefault }: LostAt): LostValue => ({
  ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
  name: metadata.name,
  ...(metadata.uid !== undefined && { uid: metadata.uid }),
  version,
  path,
  value,
  isDefault,
})

// The root is pruned as an embedded resource is: its apiVersion, kind and metadata stay, whatever the schema says.
const rootOf = (schema: JSONSchema): JSONSchema => ({ ...schema, 'x-kubernetes-embedded-resource': true })

function valueAt(value: unknown, path: readonly NodeStep[]): unknown {
  let at = value
  for (const step of path) {
    if (typeof step === 'number') at = Array.isArray(at) ? (at[step] as unknown) : undefined
    else at = isSchema(at) && Object.hasOwn(at, step) ? at[step] : undefined
  }
  return at
}

const convertedByWebhook = (version: string): UncheckedLoss => ({
  version,
  fields: [],
  why: `a webhook converts ${version}: what it leaves out cannot be seen before the rewrite`,
  next: 'trust the operator that the webhook belongs to, or back the objects up first',
})

const notServed = ({ version, fields }: RewritePath, { storageVersion }: MigrationTarget): UncheckedLoss => ({
  version,
  fields,
  why: `${version} is not served, so nobody can see which objects have these fields`,
  next:
    version === storageVersion
      ? `serve ${version}: written through another version, its objects lose these fields`
      : `serve ${version} until the migration is over, or accept the loss by name`,
})
