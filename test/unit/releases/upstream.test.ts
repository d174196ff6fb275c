/** The real releases' own files, where they are beside the project. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { isSuperset } from '../../../src/crds/superset.ts'
import { fingerprint } from '../../../src/crds/versions.ts'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import { parseManifests } from '../../../src/releases/manifests.ts'
import { products } from '../../../src/releases/products.ts'
import { readRelease } from '../../../src/releases/sources.ts'

const upstream = fileURLToPath(new URL('../../../../shared/upstream', import.meta.url))
const absent = !existsSync(upstream)
if (absent) process.stderr.write('skipped: the real release files are not beside the project (../shared/upstream)\n')

function crds(file: string): CustomResourceDefinition[] {
  return parseManifests(readFileSync(`${upstream}/${file}`, 'utf8'), file)
    .filter((object) => object.kind === 'CustomResourceDefinition')
    .map((object) => object as AnyCrd)
}
type AnyCrd = ReturnType<typeof parseManifests>[number] & CustomResourceDefinition

describe.skipIf(absent)('real releases', () => {
  const product = products().find((row) => row.name === 'airunway')
  if (product === undefined) throw new Error('the product airunway is gone')

  test.each(['v0.4.0', 'v0.5.0'])('%s is read, pinned and told by its CRDs', async (version) => {
    const release = await readRelease({ version, source: `${upstream}/airunway/${version}`, product })
    expect(release.objects).toHaveLength(25)
    expect(release.controller.pinnedImage).toBe(`ghcr.io/kaito-project/airunway/controller:${version.slice(1)}`)
    expect(JSON.stringify(release.objects)).not.toContain('controller:latest')
    expect(release.objects.filter(({ role }) => role === 'other')).toEqual([])
    expect(release.shims.map(({ name, pinnedImage }) => [name, pinnedImage])).toEqual([
      ['kaito', undefined],
      ['dynamo', undefined],
      ['kuberay', undefined],
      ['llmd', undefined],
    ])
    const prints = new Map(
      crds(`airunway/${version}/controller.yaml`).map((crd) => [crd.metadata.name, fingerprint(crd)]),
    )
    expect(product.fingerprints.find((row) => row.version === version)).toEqual({
      version,
      modelDeployments: prints.get(product.crds.modelDeployments),
      inferenceProviderConfigs: prints.get(product.crds.inferenceProviderConfigs),
    })
  })

  test('v0.5.0 only adds to v0.4.0', () => {
    const [older, newer] = [crds('airunway/v0.4.0/controller.yaml'), crds('airunway/v0.5.0/controller.yaml')]
    for (const crd of older) {
      const next = newer.find((candidate) => candidate.metadata.name === crd.metadata.name)
      if (next === undefined) throw new Error(`${crd.metadata.name} is gone`)
      expect(isSuperset(next, crd)).toEqual({ superset: true, differences: [] })
    }
    const back = newer.flatMap((crd) => {
      const previous = older.find((candidate) => candidate.metadata.name === crd.metadata.name)
      return previous === undefined ? [] : isSuperset(previous, crd).differences.map(({ path }) => path)
    })
    expect(back.toSorted()).toEqual(['^.spec.installation.helmCharts[*].values', '^.status.gateway.gatewayNamespace'])
  })

  test.each<[string, string, string]>([
    ['kaito/v0.4.4/workspaces.crd.yaml', 'kaito/v0.4.5/workspaces.crd.yaml', 'KAITO Workspace'],
    ['kaito/v0.8.0/ragengines.crd.yaml', 'kaito/v0.9.0/ragengines.crd.yaml', 'KAITO RAGEngine'],
    ['kuberay/v0.6.0/rayservices.crd.yaml', 'kuberay/v1.0.0/rayservices.crd.yaml', 'RayService'],
  ])('%s to %s is no superset backwards', (older, newer) => {
    const [before, after] = [crds(older)[0], crds(newer)[0]]
    if (before === undefined || after === undefined) throw new Error('no CRD')
    expect(isSuperset(before, after).superset).toBe(false)
  })
})
