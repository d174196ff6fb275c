import { describe, expect, test } from 'vitest'
import { asSaved, intoNewForm, intoOldForm, withoutUnreadable } from '../../../src/backup/provider-config-shape.ts'
import type { AnyObject } from '../../../src/kubernetes/objects.ts'
import { knownReleases } from '../../../src/releases/data.ts'
import type { ProviderConfigChanges } from '../../../src/releases/release.types.ts'

/** Those of the real v0.6.0. */
const changes = knownReleases().releases.find(({ product, version }) => product === 'airunway' && version === 'v0.6.0')
  ?.providerConfigs as ProviderConfigChanges

const config = (spec: object, annotations?: Record<string, string>): AnyObject => ({
  apiVersion: 'airunway.ai/v1alpha1',
  kind: 'InferenceProviderConfig',
  metadata: { name: 'acme', uid: 'u1', ...(annotations && { annotations }) },
  spec,
})

const rules = [{ condition: 'true', priority: 3 }]
const flags = { servingModes: ['aggregated'], gpuSupport: true, cpuSupport: false }
const saved = config({
  capabilities: { engines: ['vllm', 'sglang'], ...flags },
  selectionRules: rules,
  installation: { defaultNamespace: 'acme' },
  documentation: 'https://acme.example/docs',
})
/** As it reads once the new schema prunes what it does not know. */
const pruned = config({ capabilities: { engines: ['vllm', 'sglang'] }, selectionRules: rules })
const converted = config(
  {
    capabilities: {
      engines: [
        { name: 'vllm', ...flags },
        { name: 'sglang', ...flags },
      ],
    },
    selectionRules: rules,
  },
  {
    'airunway.ai/installation': '{"defaultNamespace":"acme"}',
    'airunway.ai/documentation': 'https://acme.example/docs',
  },
)

describe('into the new form', () => {
  test('what the new schema hides comes from the back-up', () => {
    expect(intoNewForm(pruned, saved, changes)).toEqual({ object: converted })
  })

  test('what is on the cluster wins over the back-up where it can be read', () => {
    const live = config({ capabilities: { engines: ['trtllm'], gpuSupport: false }, selectionRules: [] })
    expect(intoNewForm(live, saved, changes)).toMatchObject({
      object: {
        spec: { capabilities: { engines: [{ name: 'trtllm', ...flags, gpuSupport: false }] }, selectionRules: [] },
      },
    })
  })

  test('a second time changes nothing', () =>
    expect(intoNewForm(converted, saved, changes)).toEqual({ object: converted }))

  test('a config that its own shim has written in the new form stays, also without a back-up', () => {
    const own = config({ capabilities: { engines: [{ name: 'vllm', gpuSupport: false }] } })
    expect(intoNewForm(own, undefined, changes)).toEqual({ object: own })
    expect(intoNewForm(own, saved, changes)).toMatchObject({ object: { spec: own['spec'] } })
  })

  test('without a back-up nobody knows what is hidden', () => {
    expect(intoNewForm(pruned, undefined, changes)).toEqual({ unreadable: 'spec.capabilities.engines' })
  })

  test.each([{}, { capabilities: {} }, { capabilities: { engines: [] } }])('nothing to convert in %j', (spec) => {
    expect(intoNewForm(config(spec), config(spec), changes)).toEqual({ object: config(spec) })
  })
})

describe('into the form of before', () => {
  test('there and back is the same', () => expect(intoOldForm(converted, changes)).toEqual({ object: saved }))
  test('what has the form already stays', () => expect(intoOldForm(saved, changes)).toEqual({ object: saved }))

  test('beside the list stands what all its items have', () => {
    const mixed = config({
      capabilities: {
        engines: [
          { name: 'vllm', servingModes: ['aggregated', 'disaggregated'], gpuSupport: true, cpuSupport: true },
          { name: 'llamacpp', servingModes: ['aggregated'], gpuSupport: false, cpuSupport: true },
        ],
      },
    })
    expect(intoOldForm(mixed, changes)).toMatchObject({
      object: {
        spec: {
          capabilities: {
            engines: ['vllm', 'llamacpp'],
            servingModes: ['aggregated'],
            gpuSupport: false,
            cpuSupport: true,
          },
        },
      },
    })
  })

  test('nothing can be made of what the old schema has pruned; emptied, the rest stays', () => {
    const half = config({ capabilities: { engines: [{}, {}] }, selectionRules: rules })
    expect(intoOldForm(half, changes)).toEqual({ unreadable: 'spec.capabilities.engines' })
    expect(withoutUnreadable(half, changes)['spec']).toEqual({ capabilities: { engines: [] }, selectionRules: rules })
  })
})

describe('as it was backed up', () => {
  test('spec and the annotations of the form; those of others stay', () => {
    const live = config({ capabilities: { engines: [{}] } }, { 'airunway.ai/installation': '{}', 'acme/note': 'mine' })
    expect(asSaved(live, saved, changes)).toEqual({ ...config(saved['spec'] as object, { 'acme/note': 'mine' }) })
  })

  test('forward again', () => expect(asSaved(saved, converted, changes)).toEqual(converted))
})
