/** Takes a back-up of the objects that a run may change. */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { AnyObject, ObjectReference } from '../kubernetes/objects.ts'
import { appliedConfiguration } from '../kubernetes/ownership.ts'
import type { Backup } from './backup.types.ts'

/** Managers under which a release gets installed: `kubectl apply` in both forms, `kubectl create`, Helm, and this tool. */
export const INSTALLERS: string[] = [
  'kubectl-client-side-apply',
  'kubectl',
  'kubectl-create',
  'kubectl-replace',
  'helm',
  'kubectl-airunway',
]

/** Where nobody is known to have applied the object (another tool installed it), all that a user can set is the best guess. */
export const appliedOf = (object: AnyObject): AnyObject => {
  const applied = appliedConfiguration(object, INSTALLERS)
  const { metadata, apiVersion: _apiVersion, kind, ...fields } = applied
  if (kind === 'Secret') return withoutData(applied)
  const nothing =
    Object.keys(fields).length === 0 && metadata.labels === undefined && metadata.annotations === undefined
  return nothing ? withoutServerFields(object) : withWhatDecides(applied, object)
}

/** What is in a Secret was written by the controller's certificate rotator, or by hand, and is newer than any back-up. */
const withoutData = ({ data: _data, stringData: _stringData, ...rest }: AnyObject): AnyObject => rest

type Fields = Record<string, unknown>
interface Templated {
  spec?: { template?: { spec?: { containers?: Fields[]; initContainers?: Fields[] } } }
}

/** Fields that an upgrade takes from whoever owns them (`kubectl set image`, an edit): going back means their old values. */
const DECIDING = ['rules', 'roleRef', 'subjects', 'webhooks'] as const
const OF_CONTAINERS = ['image', 'command', 'args'] as const

const some = (from: Fields, keys: readonly string[]): Fields =>
  Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]))

/** A hand-over takes a Service's selector from whoever owns it, as a whole: left out here, going back would leave none. */
const withSelector = (applied: AnyObject, { kind, spec }: AnyObject): Fields => {
  const selector = kind === 'Service' ? some((spec ?? {}) as Fields, ['selector']) : {}
  return 'selector' in selector ? { spec: { ...(applied['spec'] as Fields | undefined), ...selector } } : {}
}

const withWhatDecides = (applied: AnyObject, object: AnyObject): AnyObject => {
  const whole: AnyObject = { ...applied, ...some(object, DECIDING), ...withSelector(applied, object) }
  const live = (object as Templated).spec?.template?.spec
  const template = (applied as Templated).spec?.template
  if (live === undefined || template === undefined) return whole
  const lists = Object.fromEntries(
    (['containers', 'initContainers'] as const).flatMap((list) => {
      const containers = template.spec?.[list]
      if (containers === undefined) return []
      const completed = containers.map((each) => ({
        ...each,
        ...some(live[list]?.find(({ name }) => name === each['name']) ?? {}, OF_CONTAINERS),
      }))
      return [[list, completed]]
    }),
  )
  const spec = { ...(whole['spec'] as Fields), template: { ...template, spec: { ...template.spec, ...lists } } }
  return { ...whole, spec }
}

/** The object without what the server sets: fit to be applied again. */
export const withoutServerFields = (object: AnyObject): AnyObject => {
  const { status: _status, ...rest } = object
  const { name, namespace, labels, annotations } = object.metadata
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  }
}

/** Reads all objects named and all collections. Throws what reading throws: a back-up with holes is none. */
export const takeBackup = async (
  client: KubernetesClient,
  wanted: { objects: ObjectReference[]; collections: { apiVersion: string; kind: string }[] },
  context: { now: Date; signal: AbortSignal },
): Promise<Backup> => {
  const found = await Promise.all(
    wanted.objects.map(async (ref) => ({ ref, object: await client.find(ref, context.signal) })),
  )
  const collections: Backup['collections'] = {}
  for (const collection of wanted.collections)
    collections[`${collection.apiVersion} ${collection.kind}`] =
      (await client.findResource(collection.apiVersion, collection.kind)) === undefined
        ? []
        : await client.list(collection, { signal: context.signal, exact: true })
  return {
    takenAt: context.now.toISOString(),
    objects: found.flatMap(({ object }) => (object === undefined ? [] : [{ object, applied: appliedOf(object) }])),
    absent: found.flatMap(({ ref, object }) => (object === undefined ? [ref] : [])),
    collections,
  }
}
