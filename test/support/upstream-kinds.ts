/**
 * Kinds of operators whose definitions lie beside the repository, with objects that those definitions take. The definitions are
 * other projects' files and are only read: whoever uses them is skipped where `definitionsAbsent` says so.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AnyObject } from '../../src/kubernetes/objects.ts'

const upstream = join(import.meta.dirname, '..', '..', '..', 'shared', 'upstream')

/** Why definitions of other projects cannot be used here. */
export const definitionsAbsent: string | undefined = existsSync(upstream)
  ? undefined
  : 'the real definitions are not beside the repository (../shared/upstream)'

type Fields = Record<string, unknown>

export interface UpstreamKind {
  /** name of the definition */
  name: string
  group: string
  plural: string
  kind: string
  /** the only version before, and the storage version after */
  versions: [from: string, to: string]
  /** files of the release before, which has one version, and of the one after, which has both */
  files: [before: string, after: string]
  releases: string
  /** all that one writes besides metadata */
  fields: Fields
  /** the same with less in it */
  fewer: Fields
  /** what an operator writes at the status endpoint */
  status: Fields
}

/** The object in one of its versions, as it would be applied. */
export const objectOf = (
  { group, kind, fields }: UpstreamKind,
  version: string,
  metadata: AnyObject['metadata'],
  written: Fields = fields,
): AnyObject => ({ apiVersion: `${group}/${version}`, kind, metadata, ...written })

const container = (name: string): Fields => ({
  name,
  image: 'registry.example.com/model:1',
  resources: { limits: { cpu: '2', memory: '8Gi' } },
  ports: [
    { containerPort: 8000, name: 'serve', protocol: 'TCP' },
    { containerPort: 8265, name: 'dashboard', protocol: 'TCP' },
  ],
})

const labelSelector = { matchLabels: { gpus: 'yes' }, matchExpressions: [{ key: 'zone', operator: 'Exists' }] }
const condition = {
  type: 'ResourceReady',
  status: 'True',
  reason: 'Ready',
  message: 'as it should be',
  lastTransitionTime: '2026-11-20T10:00:00Z',
}

const inference = {
  adapters: [
    {
      source: { name: 'style', image: 'registry.example.com/style:1', volumeSource: { emptyDir: {} } },
      strength: '0.2',
    },
  ],
  // Preserved without a schema: what is in there is nobody's business.
  template: { spec: { containers: [container('model')], anything: { at: ['all', 1, null, { deep: true }] } } },
}
const compute = { instanceType: 'Standard_NC12s_v3', count: 2, labelSelector }

const workspaces: UpstreamKind = {
  name: 'workspaces.kaito.sh',
  group: 'kaito.sh',
  plural: 'workspaces',
  kind: 'Workspace',
  versions: ['v1alpha1', 'v1beta1'],
  files: [join(upstream, 'kaito/v0.4.4/workspaces.crd.yaml'), join(upstream, 'kaito/v0.4.5/workspaces.crd.yaml')],
  releases: 'v0.4.4 to v0.4.5',
  // This kind has no spec: what one writes lies beside the metadata.
  fields: { resource: { ...compute, preferredNodes: ['node-1', 'node-2'] }, inference },
  fewer: { resource: compute, inference },
  status: { workerNodes: ['node-1'], conditions: [condition] },
}

const pods = (name: string): Fields => ({
  metadata: { labels: { role: name } },
  spec: { containers: [container(name)] },
})
const rayClusterConfig = {
  rayVersion: '2.9.0',
  headGroupSpec: { rayStartParams: { 'dashboard-host': '0.0.0.0' }, template: pods('head') },
  workerGroupSpecs: [
    { groupName: 'small', replicas: 2, minReplicas: 1, maxReplicas: 5, rayStartParams: {}, template: pods('worker') },
  ],
}

const rayservices: UpstreamKind = {
  name: 'rayservices.ray.io',
  group: 'ray.io',
  plural: 'rayservices',
  kind: 'RayService',
  versions: ['v1alpha1', 'v1'],
  files: [join(upstream, 'kuberay/v0.6.0/rayservices.crd.yaml'), join(upstream, 'kuberay/v1.0.0/rayservices.crd.yaml')],
  releases: 'v0.6.0 to v1.0.0',
  fields: { spec: { serveConfigV2: 'applications: []\n', serviceUnhealthySecondThreshold: 300, rayClusterConfig } },
  fewer: { spec: { serveConfigV2: 'applications: []\n', rayClusterConfig } },
  status: { serviceStatus: 'Running', observedGeneration: 1 },
}

/** Those whose versions have the same fields. */
export const alike: readonly UpstreamKind[] = [workspaces, rayservices]

const embedding = { local: { modelID: 'BAAI/bge-small-en-v1.5' } }
const inferenceService = { url: 'http://model.example.com/v1', contextWindowSize: 8192 }

/** v1beta1 lacks four fields of v1alpha1, and nothing converts. */
export const ragengines: UpstreamKind = {
  name: 'ragengines.kaito.sh',
  group: 'kaito.sh',
  plural: 'ragengines',
  kind: 'RAGEngine',
  versions: ['v1alpha1', 'v1beta1'],
  files: [join(upstream, 'kaito/v0.8.0/ragengines.crd.yaml'), join(upstream, 'kaito/v0.9.0/ragengines.crd.yaml')],
  releases: 'v0.8.0 to v0.9.0',
  fields: { spec: { compute, embedding, inferenceService } },
  fewer: { spec: { embedding, inferenceService } },
  status: { workerNodes: ['node-1'], conditions: [condition] },
}
