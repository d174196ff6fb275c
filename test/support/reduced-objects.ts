/** Objects without what the server, the clock and chance put into them. Pure. */
import type { AnyObject } from '../../src/kubernetes/objects.ts'

type Tree = Record<string, unknown>

interface Reduced {
  key: string
  value: unknown
  schemas: Record<string, unknown>
}

/** Kinds whose names are generated: they are known by their owner. */
export const kindsOfPods: ReadonlySet<string> = new Set(['Pod', 'EndpointSlice', 'IPAddress'])

const SERVER_FIELDS = ['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields', 'selfLink']
/** Counters and copies that controllers write. */
const NOISY_ANNOTATIONS = [
  'deployment.kubernetes.io/revision',
  'endpoints.kubernetes.io/last-change-trigger-time',
  'kubernetes.io/description',
]
const NOISY_FIELDS = new Set([
  'observedGeneration',
  'clusterIP',
  'clusterIPs',
  'resourceVersion',
  'uid',
  'collisionCount',
  'caBundle',
])
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
const CERTIFICATE = /^(-----BEGIN |LS0tLS1CRUdJTi)/

/** The object with a name to compare it by, and the schemas of a definition apart. */
export function reduced(object: AnyObject, withoutAnnotations: readonly string[]): Reduced {
  const { metadata, kind } = object
  const place = metadata.namespace === undefined ? '' : `${metadata.namespace}/`
  const key = `${kind} ${place}${kindsOfPods.has(kind) ? ownerOf(object) : metadata.name}`
  const body = { ...object, metadata: reducedMetadata(object, withoutAnnotations) }
  const special = SPECIAL[kind]
  const { value, schemas = {} } = special === undefined ? { value: body } : special(body)
  return { key, value: withoutNoise(value), schemas }
}

const reducedMetadata = ({ kind, metadata }: AnyObject, withoutAnnotations: readonly string[]): Tree => {
  const generated = kindsOfPods.has(kind) ? ['name', 'generateName', 'ownerReferences'] : []
  const left = without(metadata as unknown as Tree, [...SERVER_FIELDS, ...generated, 'labels', 'annotations'])
  const annotations = without(metadata.annotations ?? {}, [...NOISY_ANNOTATIONS, ...withoutAnnotations])
  const labels = without(metadata.labels ?? {}, ['pod-template-hash'])
  return { ...left, labels, annotations }
}

const without = (tree: Tree, names: readonly string[]): Tree =>
  Object.fromEntries(Object.entries(tree).filter(([name]) => !names.includes(name)))

/** A pod belongs to a replica set, whose name is that of its Deployment and a hash of the template. */
const ownerOf = ({ metadata, kind, ...object }: AnyObject): string => {
  if (kind === 'IPAddress') {
    const { parentRef } = object['spec'] as { parentRef: Record<'resource' | 'namespace' | 'name', string> }
    return `${parentRef.resource} ${parentRef.namespace}/${parentRef.name}`
  }
  const [owner] = metadata.ownerReferences ?? []
  if (owner === undefined) return metadata.name
  const hash = metadata.labels?.['pod-template-hash']
  return `of ${owner.kind === 'ReplicaSet' && hash !== undefined ? owner.name.replace(`-${hash}`, '') : owner.name}`
}

const SPECIAL: Record<string, (body: Tree) => { value: Tree; schemas?: Tree }> = {
  Pod: (body) => ({ value: reducedPod(body) }),
  EndpointSlice: (body) => ({
    value: {
      ...body,
      endpoints: ((body['endpoints'] as Tree[] | null) ?? []).map(({ conditions }) => ({ conditions })),
    },
  }),
  IPAddress: (body) => ({ value: { spec: body['spec'] } }),
  // Which nodes there are is no matter of an installation, and their status is a heartbeat.
  Node: ({ status: _status, ...body }) => ({ value: body }),
  Deployment: (body) => ({ value: { ...body, status: reducedDeploymentStatus((body['status'] ?? {}) as Tree) } }),
  CustomResourceDefinition: reducedDefinition,
}

const reducedPod = (body: Tree): Tree => {
  const spec = body['spec'] as Tree
  const volumes = ((spec['volumes'] ?? []) as Tree[]).map(withoutTokenName)
  const containers = (spec['containers'] as Tree[]).map((container) => ({
    ...container,
    volumeMounts: ((container['volumeMounts'] ?? []) as Tree[]).map(withoutTokenName),
  }))
  const status = (body['status'] ?? {}) as Tree
  const ready = conditionsOf(status).find(({ type }) => type === 'Ready')?.status
  return { ...body, spec: { ...spec, volumes, containers }, status: { phase: status['phase'], ready } }
}

/** Admission names the volume of the token by chance. */
const withoutTokenName = (volume: Tree): Tree =>
  String(volume['name']).startsWith('kube-api-access-') ? { ...volume, name: 'kube-api-access' } : volume

/** Conditions name replica sets, and come in the order in which they became true. */
const reducedDeploymentStatus = (status: Tree): Tree => ({
  ...without(status, ['terminatingReplicas']),
  conditions: conditionsOf(status)
    .map((one) => `${one.type}=${one.status} ${one.reason}`)
    .toSorted(),
})

const conditionsOf = (status: Tree): { type: string; status: string; reason?: string }[] =>
  (status['conditions'] ?? []) as { type: string; status: string; reason?: string }[]

/** Schemas apart: what a run has added to one may stay. */
function reducedDefinition(body: Tree): { value: Tree; schemas: Tree } {
  const spec = body['spec'] as Tree
  const schemas: Tree = {}
  const { name } = body['metadata'] as { name: string }
  // A schema that stays keeps the words about it.
  const versions = (spec['versions'] as (Tree & { name: string })[]).map((one) => {
    const { schema, deprecated, deprecationWarning, ...version } = one
    schemas[`${name} ${one.name}`] = { schema, deprecated, deprecationWarning }
    return version
  })
  const status = (body['status'] ?? {}) as Tree
  const conditions = conditionsOf(status).map((one) => `${one.type}=${one.status}`)
  return {
    value: { ...body, spec: { ...spec, versions }, status: { ...status, conditions: conditions.toSorted() } },
    schemas,
  }
}

/** Times, ids, addresses and certificates at any depth. */
const withoutNoise = (value: unknown): unknown => {
  if (typeof value === 'string') return TIME.test(value) ? '<time>' : CERTIFICATE.test(value) ? '<certificate>' : value
  if (Array.isArray(value)) return value.map(withoutNoise)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !NOISY_FIELDS.has(name))
      .map(([name, field]) => [name, withoutNoise(field)]),
  )
}
