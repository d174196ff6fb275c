import { expect, test } from 'vitest'
import { migrated } from '../../../../src/playground/standins/engine-migration.ts'
import type { InferenceProviderConfig } from '../../../../src/playground/standins/model-deployment.ts'
import { traitsOf } from '../../../../src/playground/standins/traits.ts'
import { sampleProduct } from '../../../support/upgrade-samples.ts'

const config = (capabilities: Record<string, unknown>): InferenceProviderConfig => ({
  apiVersion: 'kubeairunway.ai/v1alpha1',
  kind: 'InferenceProviderConfig',
  metadata: { name: 'acme' },
  spec: { capabilities, selectionRules: [] },
})

test('what the new schema has pruned becomes false, as in AI Runway v0.6.0', () => {
  expect(migrated(config({ engines: ['vllm'] }))).toEqual(
    config({ engines: [{ name: 'vllm', gpuSupport: false, cpuSupport: false }] }),
  )
})

test('what can still be seen is carried along', () => {
  expect(migrated(config({ engines: ['vllm'], servingModes: ['aggregated'], gpuSupport: true }))).toEqual(
    config({ engines: [{ name: 'vllm', servingModes: ['aggregated'], gpuSupport: true, cpuSupport: false }] }),
  )
})

test('what has objects, or no engines, is left alone', () => {
  for (const capabilities of [{ engines: [{ name: 'vllm' }] }, { engines: [] }, {}])
    expect(migrated(config(capabilities))).toBeUndefined()
})

test('v0.2.0-undecodable has objects within v1alpha1', () => {
  expect(traitsOf(sampleProduct(), '0.2.0-undecodable')).toMatchObject({
    apiVersion: 'kubeairunway.ai/v1alpha1',
    admissionVersions: ['v1alpha1'],
    conversion: false,
    engines: 'objects',
  })
})
