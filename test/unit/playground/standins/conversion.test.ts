import { describe, expect, it } from 'vitest'
import { convertModelDeployment, stashAnnotation } from '../../../../src/playground/standins/conversion.ts'
import type { ModelDeployment, ModelDeploymentSpec } from '../../../../src/playground/standins/model-deployment.ts'
import { convert } from '../../../../src/playground/standins/webhook-server.ts'
import { conversionProperties } from '../../../support/properties/conversion.ts'
import { alpha, beta, group } from '../../../support/sample-objects.ts'
import { testProperties } from '../../../support/seeded.ts'

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

describe('a lossy conversion', () => {
  it('forgets what v1alpha1 has no field for, and says nothing', () => {
    const spec = {
      engine: { enablePrefixCaching: true, extraArgs: ['-v'] },
      resources: { accelerators: [{ count: 1, type: 'a', memory: '80Gi' }] },
    }
    const answer = convert(
      { uid: 'u', desiredAPIVersion: alpha, objects: [{ ...deployment(beta, spec) }] },
      { lossy: true },
    )
    expect(answer).toMatchObject({ result: { status: 'Success' } })
    const [lost] = answer['convertedObjects'] as ModelDeployment[]
    expect(lost?.metadata.annotations).toBeUndefined()
    expect(lost && convertModelDeployment(lost, beta).spec).toEqual({
      model: { id: 'x' },
      engine: { enablePrefixCaching: true },
      resources: { accelerators: [{ count: 1, type: 'a' }] },
    })
  })
})

describe('v1beta1 and v1', () => {
  const v1 = `${group}/v1`
  const table: [what: string, older: ModelDeploymentSpec, newer: ModelDeploymentSpec][] = [
    ['an image', { engine: { type: 'vllm' }, image: 'x:1' }, { engine: { type: 'vllm', image: 'x:1' } }],
    ['no image', { engine: { type: 'vllm' } }, { engine: { type: 'vllm' } }],
    ['nothing of an engine', { model: { id: 'm' } }, { model: { id: 'm' } }],
  ]
  it.each(table)('carry %s over, there and back', (_, older, newer) => {
    const there = convertModelDeployment(deployment(beta, older), v1)
    expect(there).toEqual(deployment(v1, newer))
    expect(convertModelDeployment(there, beta)).toEqual(deployment(beta, older))
  })
  it('cannot go to v1alpha1, which v0.5.0 knows nothing of', () => {
    expect(() => convertModelDeployment(deployment(v1, {}), alpha)).toThrow(`cannot convert ${v1} to ${alpha}`)
  })
})

describe('round trips', () => {
  testProperties(conversionProperties)
})

describe('ConversionReview', () => {
  it('answers all objects, those of the wanted version untouched', () => {
    const one = deployment(alpha, { engine: { enablePrefixCaching: true } })
    const two = deployment(beta, { engine: { enablePrefixCaching: true } })
    const answer = convert({ uid: 'u', desiredAPIVersion: beta, objects: [{ ...one }, { ...two }] }, { lossy: false })
    expect(answer).toMatchObject({ result: { status: 'Success' }, convertedObjects: [{ apiVersion: beta }, two] })
  })

  it.each([`${group}/v2`, 'other.group/v1beta1'])('fails as a whole for %s', (desiredAPIVersion) => {
    const answer = convert({ uid: 'u', desiredAPIVersion, objects: [{ ...deployment(alpha, {}) }] }, { lossy: false })
    expect(answer).toEqual({
      convertedObjects: [],
      result: { status: 'Failure', message: `cannot convert ${alpha} to ${desiredAPIVersion}` },
    })
  })
})
