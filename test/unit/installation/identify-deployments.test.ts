import { describe, expect, test } from 'vitest'
import { identifyDeployment } from '../../../src/installation/identify-deployments.ts'
import { installedOperator } from '../../../src/installation/identify-operators.ts'
import type { Container, Deployment } from '../../../src/kubernetes/objects.ts'
import { operatorRows } from '../../../src/releases/data.ts'
import { products } from '../../../src/releases/products.ts'

function deployment(
  at: string,
  containers: Record<string, string | Omit<Container, 'name'>>,
  labels: Record<string, string> = {},
): Deployment {
  const [namespace = '', name = ''] = at.split('/')
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, uid: 'u', labels },
    spec: {
      selector: { matchLabels: {} },
      template: {
        spec: {
          containers: Object.entries(containers).map(([container, image]) =>
            typeof image === 'string' ? { name: container, image } : { ...image, name: container },
          ),
        },
      },
    },
  }
}

const identify = (object: Deployment) => identifyDeployment(object, products(), operatorRows())

function shown(object: Deployment): string | undefined {
  const found = identify(object)
  if (found === undefined) return undefined
  if (found.kind === 'operator') return `operator ${found.row.name} by ${found.flavour.title}`
  const name = found.kind === 'shim' ? ` ${found.name}` : ''
  return `${found.kind}${name} of ${found.product.controller.deployment} with ${found.image}`
}

const common = { 'app.kubernetes.io/name': 'airunway', 'control-plane': 'controller-manager' }
const image = 'ghcr.io/kaito-project/airunway/controller:0.5.0'

describe('the product', () => {
  test.each<[string, Deployment, string | undefined]>([
    [
      'by its image',
      deployment('airunway-system/airunway-controller-manager', { manager: image }, common),
      `controller of airunway-controller-manager with ${image}`,
    ],
    [
      'a second install in a namespace and with a name of its own',
      deployment('airunway-next/other', { manager: image }),
      `controller of airunway-controller-manager with ${image}`,
    ],
    [
      'beside a sidecar that comes first',
      deployment('a/b', { proxy: 'envoy:1', manager: image }),
      `controller of airunway-controller-manager with ${image}`,
    ],
    [
      'by name, where a mirror renamed the image',
      deployment('airunway-system/airunway-controller-manager', {
        proxy: 'envoy:1',
        manager: 'mirror.local/ctl:0.5.0',
      }),
      'controller of airunway-controller-manager with mirror.local/ctl:0.5.0',
    ],
    [
      'not by name in another namespace',
      deployment('default/airunway-controller-manager', { manager: 'mirror.local/ctl:0.5.0' }),
      undefined,
    ],
    [
      'not by labels',
      deployment('airunway-system/dashboard', { app: 'ghcr.io/kaito-project/airunway/dashboard:0.5.0' }, common),
      undefined,
    ],
    [
      'the sample',
      deployment('kubeairunway-system/kubeairunway-controller', {
        manager: 'ghcr.io/kubeairunway/kubeairunway/controller:0.1.0',
      }),
      'controller of kubeairunway-controller with ghcr.io/kubeairunway/kubeairunway/controller:0.1.0',
    ],
    [
      'v0.3.1 from a mirror, told from the sample by its name',
      deployment('kubeairunway-system/kubeairunway-controller-manager', {
        manager: 'mirror.local/kaito-project/kubeairunway/controller:0.3.1',
      }),
      'controller of kubeairunway-controller-manager with mirror.local/kaito-project/kubeairunway/controller:0.3.1',
    ],
    [
      'a shim by its image',
      deployment('airunway-system/x', { manager: 'ghcr.io/kaito-project/airunway/kaito-provider:latest' }),
      'shim kaito of airunway-controller-manager with ghcr.io/kaito-project/airunway/kaito-provider:latest',
    ],
    [
      'a shim by its name',
      deployment('airunway-system/airunway-llmd-provider', { manager: 'mirror.local/llmd:1' }),
      'shim llmd of airunway-controller-manager with mirror.local/llmd:1',
    ],
    ['a model is none of it', deployment('team-a/llama', { vllm: 'vllm/vllm-openai:v0.9.1' }), undefined],
  ])('%s', (_name, object, wanted) => expect(shown(object)).toBe(wanted))
})

const kaito = {
  'app.kubernetes.io/name': 'workspace',
  'app.kubernetes.io/version': '0.9.9',
  'helm.sh/chart': 'workspace-0.9.8',
}
const addOn = { 'app.kubernetes.io/name': 'ai-toolchain-operator', app: 'ai-toolchain-operator' }
const dynamo = { ...common, 'app.kubernetes.io/name': 'dynamo-operator', 'app.kubernetes.io/version': '1.1.0' }
const ray = { 'app.kubernetes.io/name': 'kuberay-operator', 'helm.sh/chart': 'kuberay-operator-1.1.0' }
const gpu = {
  'app.kubernetes.io/name': 'gpu-operator',
  'app.kubernetes.io/component': 'gpu-operator',
  'app.kubernetes.io/version': 'v25.10.1',
}
const dynamoImage = 'nvcr.io/nvidia/ai-dynamo/kubernetes-operator'

describe('operators', () => {
  test.each<[string, Deployment, string, string, string]>([
    [
      'KAITO by Helm: the tag before the labels',
      deployment('k/kaito-workspace', { workspace: 'mcr.microsoft.com/aks/kaito/workspace:0.10.0' }, kaito),
      'kaito by Helm chart',
      '0.10.0',
      'image tag',
    ],
    [
      'KAITO with a digest only: the label',
      deployment('k/w', { workspace: `mcr.microsoft.com/aks/kaito/workspace@sha256:${'a'.repeat(64)}` }, kaito),
      'kaito by Helm chart',
      '0.9.9',
      'label',
    ],
    [
      'KAITO latest, no version label: the chart',
      deployment(
        'k/w',
        { workspace: 'mcr.microsoft.com/aks/kaito/workspace:latest' },
        { ...kaito, 'app.kubernetes.io/version': '' },
      ),
      'kaito by Helm chart',
      '0.9.8',
      'chart label',
    ],
    [
      'KAITO fixed by AI Runway v0.4',
      deployment('k/w', { workspace: 'docker.io/sozercan/kaito-workspace:v0.9.0-fix' }, kaito),
      'kaito by Helm chart',
      '0.9.0-fix',
      'a build of 0.9.0',
    ],
    [
      'KAITO nightly of a day',
      deployment('k/w', { workspace: 'mcr.microsoft.com/aks/kaito/workspace:0.10.0-20261101' }, kaito),
      'kaito by Helm chart',
      '0.10.0-20261101',
      'a nightly build of 0.10.0',
    ],
    [
      'KAITO whose labels were replaced',
      deployment('k/w', { workspace: 'mcr.microsoft.com/aks/kaito/workspace:0.10.0' }, { team: 'ml' }),
      'kaito by Helm chart',
      '0.10.0',
      'image tag',
    ],
    [
      'KAITO as AKS add-on',
      deployment('kube-system/x', { anything: 'mcr.microsoft.com/aks/kaito/workspace:0.4.6' }, addOn),
      'kaito by AKS add-on',
      '0.4.6',
      'image tag',
    ],
    [
      'Dynamo behind kube-rbac-proxy',
      deployment('d/o', { 'kube-rbac-proxy': 'x/kube-rbac-proxy:v0.15.0', manager: `${dynamoImage}:1.1.1` }, dynamo),
      'dynamo by Helm chart',
      '1.1.1',
      'image tag',
    ],
    [
      'Dynamo that says it in an argument',
      deployment(
        'd/o',
        { manager: { image: `${dynamoImage}:latest`, args: ['--leader-elect', '--operator-version=1.2.0'] } },
        dynamo,
      ),
      'dynamo by Helm chart',
      '1.2.0',
      'argument',
    ],
    [
      'KubeRay has no version label and the chart may lag',
      deployment('r/k', { 'kuberay-operator': 'quay.io/kuberay/operator:v1.1.1' }, ray),
      'kuberay by Helm chart',
      '1.1.1',
      'image tag',
    ],
    [
      'KubeRay by kustomize',
      deployment(
        'default/k',
        { 'kuberay-operator': 'quay.io/kuberay/operator:v1.3.0' },
        { 'app.kubernetes.io/name': 'kuberay', 'app.kubernetes.io/component': 'kuberay-operator' },
      ),
      'kuberay by kustomize',
      '1.3.0',
      'image tag',
    ],
    [
      'the GPU operator has calendar versions',
      deployment('g/gpu-operator', { 'gpu-operator': 'nvcr.io/nvidia/gpu-operator:v25.10.1' }, gpu),
      'gpu-operator by Helm chart',
      '25.10.1',
      'label',
    ],
    [
      'a chart of the development branch of the GPU operator',
      deployment(
        'g/g',
        { 'gpu-operator': 'nvcr.io/nvidia/gpu-operator:v25.3.0' },
        { ...gpu, 'app.kubernetes.io/version': 'v1.0.0-devel' },
      ),
      'gpu-operator by Helm chart',
      '25.3.0',
      'image tag',
    ],
  ])('%s', (_name, object, wanted, version, detail) => {
    const found = identify(object)
    if (found?.kind !== 'operator') throw new Error(`found ${shown(object)}`)
    expect(`${found.row.name} by ${found.flavour.title}`).toBe(wanted)
    const { version: known } = installedOperator(found, new Set())
    expect(known).toMatchObject({ known: true, version })
    expect(known.known ? `${known.evidence} ${known.detail}` : known.why).toContain(detail)
  })

  test.each<[string, Deployment, string]>([
    [
      'latest',
      deployment(
        'r/k',
        { 'kuberay-operator': 'quay.io/kuberay/operator:latest' },
        { 'app.kubernetes.io/name': 'kuberay-operator' },
      ),
      'the image tag "latest" moves with every build',
    ],
    [
      'nightly-latest',
      deployment('k/w', { workspace: 'mcr.microsoft.com/aks/kaito/workspace:nightly-latest' }),
      'moves with every build',
    ],
    [
      'no tag at all',
      deployment('k/w', { workspace: 'mcr.microsoft.com/aks/kaito/workspace' }),
      'neither its image nor its labels',
    ],
  ])('%s is unknown, never guessed', (_name, object, why) => {
    const found = identify(object)
    if (found?.kind !== 'operator') throw new Error(`found ${shown(object)}`)
    const { version } = installedOperator(found, new Set())
    expect([version.known, version.known ? version.version : version.why]).toEqual([
      false,
      expect.stringContaining(why),
    ])
  })

  test('control-plane=controller-manager does not make AI Runway a Dynamo operator', () => {
    expect(shown(deployment('a/b', { manager: 'example.com/some-operator:1.0.0' }, common))).toBeUndefined()
  })

  test('the label name=workspace alone does not make KAITO', () => {
    expect(
      shown(deployment('a/b', { web: 'example.com/workspace-ui:1.0.0' }, { 'app.kubernetes.io/name': 'workspace' })),
    ).toBeUndefined()
  })

  test('shows who manages it, and its CRDs that are there', () => {
    const found = identify(deployment('kube-system/x', { a: 'mcr.microsoft.com/aks/kaito/workspace:0.4.6' }, addOn))
    if (found?.kind !== 'operator') throw new Error('not found')
    expect(installedOperator(found, new Set(['workspaces.kaito.sh', 'rayjobs.ray.io']))).toMatchObject({
      name: 'kaito',
      deployment: { namespace: 'kube-system', name: 'x' },
      crds: ['workspaces.kaito.sh'],
      managedBy: 'Azure (AKS add-on ai-toolchain-operator)',
    })
  })
})
