import { describe, expect, it } from 'vitest'
import { convertModelDeployment, stashAnnotation } from '../../../../src/playground/standins/conversion.ts'
import type { ModelDeployment, ModelDeploymentSpec } from '../../../../src/playground/standins/model-deployment.ts'
import { convert } from '../../../../src/playground/standins/webhook-server.ts'

const group = 'kubeairunway.ai'
const alpha = `${group}/v1alpha1`
const beta = `${group}/v1beta1`
const stash = stashAnnotation(group)

const deployment = (
  apiVersion: string,
  spec: ModelDeploymentSpec,
  annotations?: Record<string, string>,
): ModelDeployment => ({
  apiVersion,
  kind: 'ModelDeployment',
  metadata: { name: 'm', namespace: 'n', ...(annotations ? { annotations } : {}) },
  spec: { model: { id: 'x' }, ...spec },
})

describe('v1alpha1 to v1beta1', () => {
  const table: [what: string, from: ModelDeploymentSpec, to: ModelDeploymentSpec][] = [
    [
      'renames the context length',
      { engine: { contextLength: 8, enablePrefixCaching: true } },
      { engine: { maxModelLength: 8, enablePrefixCaching: true } },
    ],
    [
      'makes the GPU demand a list',
      { engine: { enablePrefixCaching: false }, resources: { gpu: { count: 2, type: 't' }, cpu: '1' } },
      { engine: { enablePrefixCaching: false }, resources: { accelerators: [{ count: 2, type: 't' }], cpu: '1' } },
    ],
    ['writes out the default of v1alpha1, not that of v1beta1', {}, { engine: { enablePrefixCaching: false } }],
    [
      'leaves what both have',
      { scaling: { replicas: 3 }, engine: { enablePrefixCaching: true }, image: 'i' },
      { scaling: { replicas: 3 }, engine: { enablePrefixCaching: true }, image: 'i' },
    ],
  ]
  it.each(table)('%s', (_, from, to) => {
    expect(convertModelDeployment(deployment(alpha, from), beta)).toEqual(deployment(beta, to))
  })
})

describe('v1beta1 to v1alpha1', () => {
  it('writes out the default of v1beta1', () => {
    expect(convertModelDeployment(deployment(beta, {}), alpha).spec.engine).toEqual({ enablePrefixCaching: true })
  })

  it('keeps in an annotation what v1alpha1 has no field for', () => {
    const spec = {
      engine: { enablePrefixCaching: true, extraArgs: ['-v'] },
      resources: {
        accelerators: [
          { count: 1, type: 'a', memory: '80Gi' },
          { count: 2, type: 'b' },
        ],
      },
      scaling: { replicas: 1, strategy: 'Recreate' },
    }
    const converted = convertModelDeployment(deployment(beta, spec), alpha)
    expect(converted.spec).toEqual({
      model: { id: 'x' },
      engine: { enablePrefixCaching: true },
      resources: { gpu: { count: 1, type: 'a' } },
      scaling: { replicas: 1 },
    })
    expect(JSON.parse(converted.metadata.annotations?.[stash] ?? '')).toEqual({
      accelerators: spec.resources.accelerators,
      extraArgs: ['-v'],
      strategy: 'Recreate',
    })
  })

  it('lets a v1alpha1 client change the first accelerator without losing the rest', () => {
    const spec = {
      resources: {
        accelerators: [
          { count: 1, type: 'a', memory: '80Gi' },
          { count: 2, type: 'b' },
        ],
      },
    }
    const old = convertModelDeployment(deployment(beta, spec), alpha)
    const edited = { ...old, spec: { ...old.spec, resources: { gpu: { count: 5, type: 'a' } } } }
    const back = convertModelDeployment(edited, beta)
    expect(back.spec.resources?.accelerators).toEqual([
      { count: 5, type: 'a', memory: '80Gi' },
      { count: 2, type: 'b' },
    ])
    expect(back.metadata.annotations).toBeUndefined()
  })

  it('leaves an annotation alone that is no data of its own', () => {
    const object = deployment(alpha, { engine: { enablePrefixCaching: true } }, { [stash]: 'mine', other: 'o' })
    expect(convertModelDeployment(object, beta).metadata.annotations).toEqual({ [stash]: 'mine', other: 'o' })
  })
})

/** A small seeded generator (mulberry32): the same seed gives the same objects. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function randomDeployment(random: () => number, version: 'v1alpha1' | 'v1beta1'): ModelDeployment {
  const maybe = <T>(make: () => T): T | undefined => (random() < 0.5 ? make() : undefined)
  const number = (below: number): number => Math.floor(random() * below)
  const text = (): string => ['a', 'nvidia.com/gpu', 'ünïcode', '"quoted"', '{}', ''][number(6)] ?? ''
  const drop = <T extends object>(fields: T): T =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
  const accelerator = () => ({ count: number(9), type: text() })
  const common = {
    trustRemoteCode: maybe(() => random() < 0.5),
    type: maybe(() => 'vllm'),
    // a stored object has its own version's default written out
    enablePrefixCaching: random() < 0.5,
  }
  const engine =
    version === 'v1alpha1'
      ? { ...common, contextLength: maybe(() => number(9999)) }
      : {
          ...common,
          maxModelLength: maybe(() => number(9999)),
          extraArgs: maybe(() => Array.from({ length: number(3) }, text)),
        }
  const demand =
    version === 'v1alpha1'
      ? { gpu: maybe(accelerator) }
      : {
          accelerators: maybe(() =>
            Array.from({ length: number(4) }, () => drop({ ...accelerator(), memory: maybe(text) })),
          ),
        }
  const spec = drop({
    engine: drop(engine),
    provider: maybe(() => ({ name: text(), overrides: { deep: { list: [1, { x: text() }] } } })),
    resources: maybe(() => drop({ ...demand, cpu: maybe(text), memory: maybe(text) })),
    scaling: maybe(() =>
      drop({ replicas: number(9), strategy: version === 'v1beta1' ? maybe(() => 'Recreate') : undefined }),
    ),
  }) as ModelDeploymentSpec
  const annotations = maybe(() => ({ note: text() }))
  return {
    ...deployment(`${group}/${version}`, spec, annotations),
    status: { phase: text(), observedGeneration: number(9) },
  }
}

describe('round trips', () => {
  const seed = Number(process.env['AIRUNWAY_SEED'] ?? Date.now() % 1_000_000_000)
  const rounds = Number(process.env['AIRUNWAY_ROUNDS'] ?? 2000)
  it.each([
    ['v1alpha1', beta],
    ['v1beta1', alpha],
  ] as const)(`%s survives (AIRUNWAY_SEED=${seed})`, (version, other) => {
    const random = generator(seed)
    for (let round = 0; round < rounds; round++) {
      const object = randomDeployment(random, version)
      const there = convertModelDeployment(object, other)
      expect(there.apiVersion).toBe(other)
      expect(convertModelDeployment(there, object.apiVersion)).toEqual(object)
    }
  })
})

describe('ConversionReview', () => {
  it('answers all objects, those of the wanted version untouched', () => {
    const one = deployment(alpha, { engine: { enablePrefixCaching: true } })
    const two = deployment(beta, { engine: { enablePrefixCaching: true } })
    const answer = convert({ uid: 'u', desiredAPIVersion: beta, objects: [{ ...one }, { ...two }] })
    expect(answer).toMatchObject({ result: { status: 'Success' }, convertedObjects: [{ apiVersion: beta }, two] })
  })

  it.each([`${group}/v2`, 'other.group/v1beta1'])('fails as a whole for %s', (desiredAPIVersion) => {
    const answer = convert({ uid: 'u', desiredAPIVersion, objects: [{ ...deployment(alpha, {}) }] })
    expect(answer).toEqual({
      convertedObjects: [],
      result: { status: 'Failure', message: `cannot convert ${alpha} to ${desiredAPIVersion}` },
    })
  })
})
