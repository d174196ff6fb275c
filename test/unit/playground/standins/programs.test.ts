import { describe, expect, it } from 'vitest'
import { type Program, programFor } from '../../../../src/playground/programs.ts'
import { asTyped } from '../../../../src/playground/standins/known-fields.ts'
import type { ModelDeployment } from '../../../../src/playground/standins/model-deployment.ts'
import { holds, renderProviderObject } from '../../../../src/playground/standins/provider-objects.ts'
import { reapplied } from '../../../../src/playground/standins/shim.ts'
import { admissionPath, traitsOf } from '../../../../src/playground/standins/traits.ts'
import { products } from '../../../../src/releases/products.ts'

const sample = 'ghcr.io/kubeairunway/kubeairunway'
const upstream = 'ghcr.io/kaito-project/airunway'

describe('programFor', () => {
  const table: [image: string, kind: Program['kind'] | undefined, version?: string][] = [
    [`${sample}/controller:0.2.0`, 'controller', '0.2.0'],
    [`${sample}/controller:latest`, 'controller', '0.4.0'],
    [`mirror.example:5000/x/kubeairunway/kubeairunway/controller:v0.1.0`, 'controller', '0.1.0'],
    [`${upstream}/controller:0.4.0`, 'controller', '0.4.0'],
    ['ghcr.io/ai-runway/airunway/controller:latest', 'controller', '0.7.0'],
    [`${upstream}/llmd-provider:v0.5.0`, 'shim', '0.5.0'],
    [`${sample}/kaito-provider:0.3.0`, 'shim', '0.3.0'],
    ['mcr.microsoft.com/aks/kaito/workspace:0.4.6', 'operator'],
    ['docker.io/sozercan/kaito-workspace:v0.9.0-fix', 'operator'],
    ['quay.io/kuberay/operator:v1.3.0', 'operator'],
    ['nvcr.io/nvidia/ai-dynamo/kubernetes-operator:1.1.1', 'operator'],
    ['nvcr.io/nvidia/gpu-operator:v25.10.1', undefined],
    ['docker.io/vllm/vllm-openai:v0.9.1', undefined],
    ['gcr.io/kubebuilder/kube-rbac-proxy:v0.15.0', undefined],
    ['not an image', undefined],
  ]
  it.each(table)('%s', (image, kind, version) => {
    const program = programFor(image)
    expect(program?.kind).toBe(kind)
    expect(program && 'version' in program ? program.version : undefined).toBe(version)
  })
})

describe('traits', () => {
  const product = (group: string) => {
    const found = products().find((one) => one.group === group)
    if (!found) throw new Error(`no product with group ${group}`)
    return found
  }
  const table: [group: string, version: string, apiVersion: string, hooks: string[], conversion: boolean][] = [
    ['kubeairunway.ai', '0.1.4', 'v1alpha1', ['v1alpha1'], false],
    ['kubeairunway.ai', '0.2.0', 'v1beta1', ['v1alpha1', 'v1beta1'], true],
    ['kubeairunway.ai', '0.3.0', 'v1beta1', ['v1beta1'], true],
    ['kubeairunway.ai', '0.4.0', 'v1beta1', ['v1beta1'], false],
    ['kubeairunway.ai', '0.5.0', 'v1', ['v1beta1', 'v1'], true],
    ['kubeairunway.ai', '0.2.1', 'v1beta1', ['v1alpha1', 'v1beta1'], true],
    ['kubeairunway.ai', '0.2.0-lossy', 'v1beta1', ['v1alpha1', 'v1beta1'], true],
    ['kubeairunway.ai', '0.2.0-removes', 'v1beta1', ['v1beta1'], false],
    ['airunway.ai', '0.4.0', 'v1alpha1', ['v1alpha1'], false],
    ['airunway.ai', '0.7.0', 'v1alpha1', ['v1alpha1'], false],
  ]
  it.each(table)('of %s %s', (group, version, apiVersion, admissionVersions, conversion) => {
    expect(traitsOf(product(group), version)).toMatchObject({
      apiVersion: `${group}/${apiVersion}`,
      admissionVersions,
      conversion,
    })
  })
  it.each([
    ['0.2.0', false, undefined],
    ['0.2.0-lossy', true, undefined],
    ['0.2.0-broken-start', false, 'start'],
    ['0.2.0-broken-webhook', false, 'webhook'],
    ['0.2.0-broken-reconcile', false, 'reconcile'],
  ])('of v%s: lossy %s, fault %s', (version, lossy, fault) => {
    expect(traitsOf(product('kubeairunway.ai'), version)).toMatchObject({ lossy, fault })
  })

  it('name the webhook paths as the manifests do', () => {
    expect(admissionPath('mutate', 'airunway.ai', 'v1alpha1')).toBe('/mutate-airunway-ai-v1alpha1-modeldeployment')
  })

  const object: ModelDeployment = {
    apiVersion: 'airunway.ai/v1alpha1',
    kind: 'ModelDeployment',
    metadata: { name: 'm', namespace: 'n', uid: 'u' },
    spec: { model: { id: 'x' }, engine: { type: 'vllm', extraArgs: ['-v'], enablePrefixCaching: true }, future: 1 },
  }

  it.each([
    ['0.5.0', { type: 'vllm' }],
    ['0.6.0', { type: 'vllm', enablePrefixCaching: true }],
    ['0.7.0', { type: 'vllm', enablePrefixCaching: true, extraArgs: ['-v'] }],
  ])('a full update of v%s drops what its types do not have', (version, engine) => {
    const typed = asTyped(object, traitsOf(product('airunway.ai'), version).knownFields)
    expect(typed.spec).toEqual({ model: { id: 'x' }, engine })
    expect(typed.metadata).toEqual(object.metadata)
  })

  const render = (group: string, version: string, kind: string) =>
    renderProviderObject({
      object: { ...object, spec: { ...object.spec, resources: { gpu: { count: 1 } } } },
      version,
      group,
      resource: { apiVersion: 'x/v1', kind },
    })
  const renders: [group: string, kind: string, from: string, to: string, same: boolean][] = [
    ['kubeairunway.ai', 'Workspace', '0.1.0', '0.2.0', true],
    ['kubeairunway.ai', 'RayService', '0.1.0', '0.2.0', true],
    ['kubeairunway.ai', 'RayService', '0.2.0', '0.4.0', true],
    ['kubeairunway.ai', 'RayService', '0.4.0', '0.5.0', false],
    ['kubeairunway.ai', 'Workspace', '0.4.0', '0.5.0', true],
    ['airunway.ai', 'Workspace', '0.4.0', '0.5.0', true],
    ['airunway.ai', 'Workspace', '0.5.0', '0.6.0', false],
    ['airunway.ai', 'DynamoGraphDeployment', '0.4.0', '0.5.0', false],
    ['airunway.ai', 'RayService', '0.5.0', '0.6.0', false],
    ['airunway.ai', 'Deployment', '0.5.0', '0.6.0', true],
    ['airunway.ai', 'Deployment', '0.6.0', '0.7.0', false],
  ]
  it.each(renders)('%s %s from %s to %s renders the same: %s', (group, kind, from, to, same) => {
    const { metadata: _, ...content } = render(group, to, kind)
    expect(holds(render(group, from, kind), content)).toBe(same)
  })
})

describe('shims that write Deployments and Services', () => {
  const names = (name: string) => products().flatMap(({ shims }) => shims.filter((shim) => shim.name === name))
  it.each([
    ['llmd', true],
    ['vllm', true],
    ['kaito', false],
    ['kuberay', false],
    ['dynamo', false],
  ])('%s applies them again every 30 s: %s', (name, again) => {
    expect(names(name).length).toBeGreaterThan(0)
    for (const shim of names(name)) expect(reapplied(shim)).toBe(again)
  })
})

describe('holds', () => {
  const table: [actual: unknown, wanted: unknown, expected: boolean][] = [
    [{ a: 1, b: 2 }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: [{ x: 1, y: 2 }] }, { a: [{ x: 1 }] }, true],
    [{ a: [1, 2] }, { a: [1] }, false],
    [undefined, {}, false],
    [{ a: null }, { a: {} }, false],
  ]
  it.each(table)('%j holds %j: %s', (actual, wanted, expected) => {
    expect(holds(actual, wanted)).toBe(expected)
  })
})
