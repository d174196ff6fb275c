/** The kinds whose objects are moved, as values: two served versions each, the same schema in both, no conversion. */
import type { KubernetesObject } from '../../../src/kubernetes/objects.ts'

export interface Kind {
  group: string
  plural: string
  kind: string
  /** objects are made in the first */
  versions: readonly [string, string]
}

export const widgets: Kind = {
  group: 'bench.airunway.ai',
  plural: 'widgets',
  kind: 'Widget',
  versions: ['v1alpha1', 'v1beta1'],
}

/** cmctl knows six definitions by their names, wants all of them, and moves to `v1` and nowhere else. */
export const certificates: Kind = {
  group: 'cert-manager.io',
  plural: 'certificates',
  kind: 'Certificate',
  versions: ['v1alpha2', 'v1'],
}

/** The five others that cmctl asks for; they stay without objects. */
export const besideCertificates: readonly Kind[] = (
  [
    ['cert-manager.io', 'certificaterequests', 'CertificateRequest'],
    ['cert-manager.io', 'issuers', 'Issuer'],
    ['cert-manager.io', 'clusterissuers', 'ClusterIssuer'],
    ['acme.cert-manager.io', 'orders', 'Order'],
    ['acme.cert-manager.io', 'challenges', 'Challenge'],
  ] as const
).map(([group, plural, kind]) => ({ group, plural, kind, versions: ['v1', 'v1alpha2'] }))

export const definitionName = ({ plural, group }: Kind): string => `${plural}.${group}`

/** Where the API server keeps the objects of a kind in etcd. */
export const storedUnder = ({ group, plural }: Kind): string => `/registry/${group}/${plural}/`

export const otherVersion = ({ versions: [first, second] }: Kind, version: string): string =>
  version === first ? second : first

const text = { type: 'string' }
const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        image: text,
        replicas: { type: 'integer', minimum: 0 },
        args: { type: 'array', items: text },
        env: { type: 'array', items: { type: 'object', properties: { name: text, value: text } } },
        notes: text,
      },
    },
    status: { type: 'object', properties: { phase: text } },
  },
}

/** `spec.versions` with the storage version that is wanted. */
export const versionsOf = ({ versions }: Kind, storage: string): unknown[] =>
  versions.map((name) => ({
    name,
    served: true,
    storage: name === storage,
    subresources: { status: {} },
    schema: { openAPIV3Schema: schema },
  }))

export function definition(kind: Kind): KubernetesObject & { spec: unknown } {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: definitionName(kind) },
    spec: {
      group: kind.group,
      scope: 'Namespaced',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
      },
      versions: versionsOf(kind, kind.versions[0]),
    },
  }
}

export const namespaces: readonly string[] = Array.from({ length: 20 }, (_, number) => `bench-${number}`)

/** An object of about 2 KB in etcd, managedFields included; the same for the same number. */
export function sampleObject(kind: Kind, number: number): KubernetesObject & { spec: unknown } {
  const digits = String(number).padStart(6, '0')
  return {
    apiVersion: `${kind.group}/${kind.versions[0]}`,
    kind: kind.kind,
    metadata: {
      name: `sample-${digits}`,
      namespace: namespaces[number % namespaces.length] ?? 'default',
      labels: { 'app.kubernetes.io/name': 'sample', 'app.kubernetes.io/instance': `sample-${digits}` },
      annotations: { 'bench.airunway.ai/owner': `team-${number % 7}` },
    },
    spec: {
      image: `registry.example.com/models/sample:${digits}`,
      replicas: number % 5,
      args: Array.from({ length: 6 }, (_, index) => `--option-${index}=${digits}-${index}`),
      env: Array.from({ length: 6 }, (_, index) => ({ name: `SETTING_${index}`, value: `${digits}/${index}` })),
      notes: `${digits} `.repeat(108),
    },
  }
}
