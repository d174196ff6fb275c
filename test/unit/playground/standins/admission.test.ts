import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { entries } from '../../../../src/playground/entries.ts'
import { defaultingPatch, violations } from '../../../../src/playground/standins/admission.ts'
import { servedWebhooks } from '../../../../src/playground/standins/controller.ts'
import { parseFlags } from '../../../../src/playground/standins/environment.ts'
import type { ModelDeployment, ModelDeploymentSpec } from '../../../../src/playground/standins/model-deployment.ts'
import { traitsOf } from '../../../../src/playground/standins/traits.ts'
import { mutate, validate, webhookRoutes } from '../../../../src/playground/standins/webhook-server.ts'
import { products } from '../../../../src/releases/products.ts'

const make = (spec: ModelDeploymentSpec, name = 'm'): ModelDeployment => ({
  apiVersion: 'kubeairunway.ai/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name, namespace: 'n' },
  spec: { model: { id: 'x' }, ...spec },
})

describe('defaults', () => {
  const table: [what: string, spec: ModelDeploymentSpec, patch: [path: string, value: unknown][]][] = [
    [
      'an empty spec',
      {},
      [
        ['/spec/serving', { mode: 'aggregated' }],
        ['/spec/engine', { type: 'llamacpp' }],
      ],
    ],
    [
      'GPUs of v1alpha1',
      { engine: {}, serving: {}, resources: { gpu: { count: 1 } } },
      [
        ['/spec/serving/mode', 'aggregated'],
        ['/spec/engine/type', 'vllm'],
      ],
    ],
    [
      'accelerators of v1beta1',
      { engine: {}, serving: { mode: 'disaggregated' }, resources: { accelerators: [{ count: 1 }] } },
      [['/spec/engine/type', 'vllm']],
    ],
    ['a full spec', { engine: { type: 'sglang' }, serving: { mode: 'aggregated' } }, []],
  ]
  it.each(table)('%s', (_, spec, patch) => {
    expect(defaultingPatch(make(spec))).toEqual(patch.map(([path, value]) => ({ op: 'add', path, value })))
  })
})

describe('violations', () => {
  const full: ModelDeploymentSpec = {
    provider: { name: 'kaito' },
    engine: { type: 'vllm' },
    serving: { mode: 'aggregated' },
  }
  const overrides = { deep: [{ securityContext: {} }], replicas: 2 }
  const table: [
    what: string,
    object: ModelDeployment,
    old: ModelDeployment | undefined,
    strict: boolean,
    found: string[],
  ][] = [
    ['a fine object', make(full), undefined, true, []],
    ['a dotted name', make(full, 'a.b'), undefined, false, ['metadata.name: must not contain dots']],
    ['a dotted name that exists', make(full, 'a.b'), make(full, 'a.b'), false, []],
    [
      'another model',
      make({ ...full, model: { id: 'y' } }),
      make(full),
      false,
      ['spec.model.id: is immutable, delete and create anew'],
    ],
    ['a provider set later', make(full), make({ ...full, provider: {} }), false, []],
    [
      'a provider taken away',
      make({ ...full, provider: {} }),
      make(full),
      false,
      ['spec.provider.name: is immutable, delete and create anew'],
    ],
    ['overrides, before v0.6.0', make({ provider: { overrides } }), undefined, false, []],
    [
      'overrides, from v0.6.0 on',
      make({ provider: { overrides } }),
      undefined,
      true,
      [
        'spec.provider.overrides.deep.0: overriding "securityContext" is not allowed',
        'spec.provider.overrides: overriding "replicas" is not allowed',
      ],
    ],
    [
      '65 GPUs, from v0.6.0 on',
      make({ resources: { gpu: { count: 65 } } }),
      undefined,
      true,
      ['spec.resources.gpu.count: must be at most 64'],
    ],
    [
      'llama.cpp disaggregated',
      make({ engine: { type: 'llamacpp' }, serving: { mode: 'disaggregated' } }),
      undefined,
      false,
      ['spec.serving.mode: llamacpp cannot be served disaggregated'],
    ],
  ]
  it.each(table)('%s', (_, object, old, strict, found) => {
    expect(violations(object, old, { strict })).toEqual(found)
  })

  it('does not let an object off that is being deleted', () => {
    const going = {
      ...make({ ...full, model: { id: 'y' } }),
      metadata: { name: 'm', deletionTimestamp: '2026-11-22T00:00:00Z' },
    }
    expect(violations(going, make(full), { strict: false })).toHaveLength(1)
  })
})

describe('webhook routes of v0.2.0', () => {
  const product = products().find(({ controller }) => controller.deployment === 'kubeairunway-controller')
  if (!product) throw new Error('the product data lack the samples')
  const traits = (version: string) => traitsOf(product, version)
  const hooks = ['v1alpha1', 'v1beta1'].flatMap((version) => [
    `/mutate-kubeairunway-ai-${version}-modeldeployment`,
    `/validate-kubeairunway-ai-${version}-modeldeployment`,
  ])
  const off = { ENABLE_WEBHOOKS: 'false' }
  const table: [what: string, variables: Record<string, string>, args: string[], version: string, paths: string[]][] = [
    ['as installed', {}, ['--enable-conversion-webhook=true'], '0.2.0', [...hooks, '/convert']],
    ['without arguments', {}, [], '0.2.0', [...hooks, '/convert']],
    ['admission off, conversion on', off, ['--enable-conversion-webhook=true'], '0.2.0', ['/convert']],
    ['both off', off, ['--enable-conversion-webhook=false'], '0.2.0', []],
    ['all webhooks off', off, [], '0.2.0', []],
    ['conversion off', {}, ['--enable-conversion-webhook=false'], '0.2.0', hooks],
    ['v0.1.0, which converts nothing', off, ['--enable-conversion-webhook=true'], '0.1.0', []],
  ]
  it.each(table)('%s', (_, variables, args, version, paths) => {
    const known = traits(version)
    const routes = webhookRoutes(product.group, known, servedWebhooks({ variables, flags: parseFlags(args) }, known))
    expect([...routes.keys()].toSorted()).toEqual(paths.toSorted())
  })

  it('are those that its release.yaml names for a second install', async () => {
    const text = await readFile(join(entries().examples, 'releases', 'v0.2.0', 'release.yaml'), 'utf8')
    const { switches } = parse(text) as {
      switches: { admissionOff: { env: { name: string; value: string } }; conversionOn: { arg: string } }
    }
    const { name, value } = switches.admissionOff.env
    const second = { variables: { [name]: value }, flags: parseFlags([switches.conversionOn.arg]) }
    expect(servedWebhooks(second, traits('0.2.0'))).toEqual({ admission: false, conversion: true })
  })

  it('of a broken release take admission requests and never answer, but convert', async () => {
    const routes = webhookRoutes(product.group, traits('0.2.0-broken-webhook'), { admission: true, conversion: true })
    const request = { uid: 'u', operation: 'CREATE', object: { ...make({}) } }
    for (const path of hooks) {
      const answer = Promise.resolve(routes.get(path)?.(request))
      const still = Symbol('no answer')
      expect(await Promise.race([answer, new Promise((resolve) => setImmediate(resolve, still))])).toBe(still)
    }
    const conversion = { uid: 'u', desiredAPIVersion: 'kubeairunway.ai/v1beta1', objects: [{ ...make({}) }] }
    expect(await routes.get('/convert')?.(conversion)).toMatchObject({ result: { status: 'Success' } })
  })
})

describe('AdmissionReview', () => {
  it('carries the patch as base64', () => {
    const answer = mutate({ uid: 'u', operation: 'CREATE', object: { ...make({ engine: { type: 'vllm' } }) } })
    expect(answer['patchType']).toBe('JSONPatch')
    expect(JSON.parse(Buffer.from(String(answer['patch']), 'base64').toString())).toHaveLength(1)
  })
  it('refuses with the reason', () => {
    const answer = validate({ uid: 'u', operation: 'CREATE', object: { ...make({}, 'a.b') }, oldObject: null }, false)
    expect(answer).toEqual({
      allowed: false,
      status: { code: 422, reason: 'Invalid', message: 'metadata.name: must not contain dots' },
    })
  })
})
