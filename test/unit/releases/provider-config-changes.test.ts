import { describe, expect, test } from 'vitest'
import { ReleaseError } from '../../../src/releases/errors.ts'
import { parseReleaseFile } from '../../../src/releases/release-file.ts'
import { sampleProduct, sampleRelease } from '../../support/upgrade-samples.ts'

const read = (lines: string): unknown => parseReleaseFile(`product: x\nversion: v1.0.0\n${lines}`, 'release.yaml')
const thrown = (work: () => unknown): unknown => {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}
const change = '{ field: spec.capabilities.engines, key: name }'

describe('providerConfigs of a release.yaml', () => {
  test('what is left away is empty', () => {
    expect(read(`providerConfigs: { itemsToObjects: [${change}] }`)).toMatchObject({
      providerConfigs: {
        itemsToObjects: [{ field: 'spec.capabilities.engines', key: 'name', copied: [] }],
        toAnnotations: [],
      },
    })
    expect(read('')).not.toHaveProperty('providerConfigs')
  })

  test.each([
    ['providerConfigs: 1', 'has to be a mapping'],
    ['providerConfigs: { itemToObjects: [] }', 'unknown field "itemToObjects"'],
    ['providerConfigs: { itemsToObjects: 1 }', 'has to be a list'],
    ['providerConfigs: { itemsToObjects: [1] }', 'has to be a mapping'],
    ['providerConfigs: { itemsToObjects: [{ key: name }] }', 'field has to be text'],
    ['providerConfigs: { itemsToObjects: [{ field: status.engines, key: name }] }', 'a path below spec'],
    ['providerConfigs: { itemsToObjects: [{ field: spec.engines }] }', 'key has to be text'],
    ['providerConfigs: { itemsToObjects: [{ field: spec.engines, key: name, copied: flag }] }', 'a list of names'],
    ['providerConfigs: { toAnnotations: [{ field: spec.docs }] }', 'annotation has to be text'],
    ['providerConfigs: { toAnnotations: [{ field: spec.docs, annotation: a, key: b }] }', 'unknown field "key"'],
  ])('%s', (lines, why) => {
    const error = thrown(() => read(lines))
    expect(error).toBeInstanceOf(ReleaseError)
    expect((error as ReleaseError).why).toContain(why)
  })

  test('the sample names what its CRD changes, and nothing else', async () => {
    const release = await sampleRelease('v0.2.0-undecodable')
    expect(release.product).toBe(sampleProduct())
    expect(release.providerConfigs).toEqual({
      itemsToObjects: [
        { field: 'spec.capabilities.engines', key: 'name', copied: ['servingModes', 'gpuSupport', 'cpuSupport'] },
      ],
      toAnnotations: [],
    })
    expect((await sampleRelease('v0.2.0')).providerConfigs).toBeUndefined()
  })
})
