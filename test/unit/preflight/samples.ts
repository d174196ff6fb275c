/** A cluster and a release in which every check finds nothing; tests change one thing at a time. */

import type {
  CrdState,
  Install,
  InstalledOperator,
  InstalledShim,
  Workload,
} from '../../../src/installation/inventory.types.ts'
import type { AnyObject } from '../../../src/kubernetes/objects.ts'
import type { CheckContext, ReleaseContext } from '../../../src/preflight/check.types.ts'
import type { Compatibility, Product, Release } from '../../../src/releases/release.types.ts'

export const now = new Date('2026-11-22T12:00:00Z')

export const product: Product = {
  name: 'kubeairunway',
  title: 'KubeAIRunway',
  group: 'kubeairunway.ai',
  namespace: 'kubeairunway-system',
  versions: '>=0.1.0',
  controller: {
    deployment: 'kubeairunway-controller',
    container: 'manager',
    imageSuffix: 'kubeairunway/controller',
    serviceAccount: 'kubeairunway-controller',
    lease: 'kubeairunway-controller',
    webhookSecret: 'kubeairunway-webhook-server-cert',
    webhookService: 'kubeairunway-webhook-service',
    mutatingWebhook: 'kubeairunway-mutating-webhook-configuration',
    validatingWebhook: 'kubeairunway-validating-webhook-configuration',
  },
  shims: [
    shimData('kaito', 'kaito.sh/v1beta1', 'Workspace'),
    shimData('dynamo', 'nvidia.com/v1alpha1', 'DynamoGraphDeployment'),
    shimData('kuberay', 'ray.io/v1', 'RayService'),
  ],
  crds: {
    modelDeployments: 'modeldeployments.kubeairunway.ai',
    inferenceProviderConfigs: 'inferenceproviderconfigs.kubeairunway.ai',
  },
  pausedAnnotation: 'kubeairunway.ai/reconcile-paused',
  installFiles: ['manifests/install.yaml'],
  shimFiles: ['manifests/{shim}.yaml'],
  urlTemplate: 'https://releases.example/{version}/{file}',
  fingerprints: [],
}

function shimData(name: string, apiVersion: string, kind: string): Product['shims'][number] {
  const names = `kubeairunway-${name}-provider`
  return {
    name,
    deployment: names,
    imageSuffix: `kubeairunway/${name}-provider`,
    lease: names,
    providerConfig: name,
    resource: { apiVersion, kind },
  }
}

export function install(changes: Partial<Install> = {}): Install {
  return {
    product,
    namespace: 'kubeairunway-system',
    deployment: deployment('kubeairunway-controller', 'kubeairunway-system'),
    image: 'ghcr.io/kubeairunway/kubeairunway/controller:0.1.0',
    version: { known: true, version: '0.1.0', evidence: 'image tag', detail: '' },
    replicas: 1,
    readyReplicas: 1,
    pods: [],
    lease: { name: 'kubeairunway-controller', holder: 'pod_1', renewTime: '2026-11-22T11:59:58Z', fresh: true },
    ...changes,
  }
}

export function shim(name: string, changes: Partial<InstalledShim> = {}): InstalledShim {
  return {
    product,
    name,
    namespace: 'kubeairunway-system',
    deployment: deployment(`kubeairunway-${name}-provider`, 'kubeairunway-system'),
    image: `ghcr.io/kubeairunway/kubeairunway/${name}-provider:0.1.0`,
    version: { known: true, version: '0.1.0', evidence: 'image tag', detail: '' },
    replicas: 1,
    readyReplicas: 1,
    providerConfig: { name, ready: true, version: 'v0.1.0', lastHeartbeat: '2026-11-22T11:59:30Z' },
    ...changes,
  }
}

export function operator(name: string, version: string, changes: Partial<InstalledOperator> = {}): InstalledOperator {
  return {
    name,
    deployment: deployment(`${name}-operator`, `${name}-system`),
    image: `example.com/${name}:${version}`,
    version: { known: true, version, evidence: 'image tag', detail: '' },
    replicas: 1,
    readyReplicas: 1,
    crds: [],
    ...changes,
  }
}

export function crd(name: string, kind: string, versions: string[], changes: Partial<CrdState> = {}): CrdState {
  const [plural = '', ...group] = name.split('.')
  const storage = versions.at(-1)
  return {
    name,
    group: group.join('.'),
    kind,
    plural,
    uid: `uid-${name}`,
    versions: versions.map((version) => ({
      name: version,
      served: true,
      storage: version === storage,
      deprecated: false,
    })),
    storedVersions: storage === undefined ? [] : [storage],
    conversion: 'None',
    terminating: false,
    ...changes,
  }
}

export function workload(name: string, changes: Partial<Workload> = {}): Workload {
  return {
    namespace: 'team-a',
    name,
    uid: `uid-${name}`,
    phase: 'Running',
    provider: 'kaito',
    paused: false,
    terminating: false,
    gpu: false,
    ...changes,
  }
}

function deployment(name: string, namespace: string) {
  return { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name, uid: `uid-${name}` }
}

export const matrix: Compatibility = {
  source: 'release.yaml of v0.1.0',
  rows: [
    { controller: '0.1.x - 0.2.x', kubernetes: '1.30 - 1.36', operators: { kaito: '0.4.x - 0.10.x', kuberay: '1.x' } },
  ],
  providers: [
    { provider: 'kaito', minimum: 'v0.4.5', crdApiVersion: 'kaito.sh/v1beta1', gpuOperator: true },
    { provider: 'dynamo', minimum: 'v0.1.0', crdApiVersion: 'nvidia.com/v1alpha1', gpuOperator: true },
    { provider: 'kuberay', minimum: 'v1.1.0', crdApiVersion: 'ray.io/v1' },
  ],
}

/** A healthy cluster, nothing to go to. */
export function healthy(change: (context: CheckContext) => void = () => {}): CheckContext {
  const context: CheckContext = {
    inventory: {
      takenAt: now.toISOString(),
      server: { major: 1, minor: 36, gitVersion: 'v1.36.3' },
      nodes: [{ name: 'node-1', kubeletVersion: 'v1.36.3', gpu: true }],
      installs: [install()],
      shims: [shim('kaito'), shim('kuberay')],
      operators: [operator('kaito', '0.4.6'), operator('kuberay', '1.3.0'), operator('gpu-operator', '25.10.1')],
      crds: [
        crd('modeldeployments.kubeairunway.ai', 'ModelDeployment', ['v1alpha1']),
        crd('inferenceproviderconfigs.kubeairunway.ai', 'InferenceProviderConfig', ['v1alpha1']),
        crd('workspaces.kaito.sh', 'Workspace', ['v1beta1']),
        crd('rayservices.ray.io', 'RayService', ['v1']),
      ],
      workloads: [workload('llama', { gpu: true }), workload('phi', { provider: 'kuberay' })],
      unreadable: [],
    },
    compatibility: [structuredClone(matrix)],
    kubernetesSupport: {
      asOf: '2026-11-21',
      minors: [
        support('1.33', '2026-06-28'),
        support('1.34', '2026-10-27'),
        support('1.35', '2027-02-28'),
        support('1.36', '2027-06-28'),
        support('1.37', '2027-10-28'),
      ],
    },
    now,
    today: now,
  }
  change(context)
  return context
}

function support(minor: string, endOfLife: string) {
  return { minor, endOfLife, lastPatch: `${minor}.9` }
}

/** The same cluster, with v0.2.0 to go to. */
export function upgrading(change: (context: ReleaseContext) => void = () => {}): ReleaseContext {
  const context = { ...healthy(), release: release() }
  change(context)
  return context
}

export function release(changes: Partial<Release> = {}): Release {
  const image = 'ghcr.io/kubeairunway/kubeairunway/controller:0.2.0'
  return {
    product,
    version: 'v0.2.0',
    source: 'examples/releases/v0.2.0',
    digest: 'sha256:0123',
    objects: [releaseCrd('modeldeployments.kubeairunway.ai', ['v1alpha1', 'v1beta1'])],
    controller: {
      ref: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        namespace: 'kubeairunway-system',
        name: 'kubeairunway-controller',
      },
      image,
      pinnedImage: image,
    },
    shims: ['kaito', 'kuberay'].map((name) => ({
      name,
      file: `manifests/${name}.yaml`,
      objects: [],
      image: `ghcr.io/kubeairunway/kubeairunway/${name}-provider:latest`,
      pinnedImage: `ghcr.io/kubeairunway/kubeairunway/${name}-provider:0.2.0`,
    })),
    ...changes,
  }
}

export function releaseCrd(name: string, versions: string[]): { role: 'crd'; object: AnyObject } {
  return {
    role: 'crd',
    object: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name },
      spec: { versions: versions.map((version) => ({ name: version })) },
    },
  }
}

/** The value, which has to be there. */
export function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the sample has no such thing')
  return value
}

export function at<T>(list: readonly T[], index: number): T {
  return must(list[index])
}
