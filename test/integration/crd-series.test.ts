/** The sample definitions on a real API server: it takes each of them, and each release of the series after the one before. */
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import { ApiError } from '../../src/kubernetes/errors.ts'
import type { AnyObject, CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { withoutConflict } from '../support/without-conflict.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of the sample definitions are skipped: ${reason}\n`)

const root = fileURLToPath(new URL('../../examples/crds/', import.meta.url))
const read = (file: string) => parse(readFileSync(join(root, file), 'utf8')) as CustomResourceDefinition
const releases = readdirSync(join(root, 'follows')).toSorted((one, other) =>
  one.localeCompare(other, 'en', { numeric: true }),
)
const kind = 'RatePolicy'
const group = 'gateways.example.com'
const reference = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  name: `ratepolicies.${group}`,
}

describe.skipIf(!possible)('the sample definitions', () => {
  let cluster: ControlPlane
  let client: KubernetesClient
  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: [] })
    client = cluster.client
  })
  afterAll(() => cluster?.stop())

  const current = () => client.get<CustomResourceDefinition>(reference)
  /** As a new release's manifest would: everything but what the API server keeps. */
  const update = async (wanted: CustomResourceDefinition, options: { dryRun?: boolean } = {}) => {
    const { metadata } = await current()
    const object = { ...wanted, metadata: { ...metadata, ...wanted.metadata } }
    return client.replace(object, { ...options, fieldValidation: 'Strict' })
  }
  /** What a migration does at its end. */
  const trim = async (version: string) => {
    const crd = await current()
    await client.replace({ ...crd, status: { ...crd.status, storedVersions: [version] } }, { subresource: 'status' })
  }
  /** Applies an object in a version, once that is served, and reads it. */
  const applied = async (version: string, spec: object) => {
    const name = 'front'
    const object: AnyObject = {
      apiVersion: `${group}/${version}`,
      kind,
      metadata: { name, namespace: 'default' },
      spec,
    }
    await eventually(() => client.apply(object))
    return (await client.get({ apiVersion: object.apiVersion, kind, name, namespace: 'default' }))['spec']
  }
  const refusal = (release: string) =>
    eventually(async () => {
      const answer: unknown = await update(read(`follows/${release}/crd.yaml`), { dryRun: true }).catch(
        (error: unknown) => error,
      )
      return answer instanceof ApiError ? answer.reason !== 'Conflict' && answer.message : 'it was not refused'
    })

  test('each is accepted', async () => {
    const files = globSync('breaks/**/*.yaml', { cwd: root })
    expect(files.length).toBeGreaterThan(60)
    for (const file of files) {
      const answer = client.create(read(file), { dryRun: true, fieldValidation: 'Strict' })
      await expect(answer, file).resolves.toMatchObject({ kind: 'CustomResourceDefinition' })
    }
  })

  const release = async (from: string, to: string) => {
    for (const name of releases.slice(releases.indexOf(from), releases.indexOf(to) + 1)) {
      await withoutConflict(() => update(read(`follows/${name}/crd.yaml`)))
    }
  }

  test('each release of the series after the one before, and objects as its release notes say', async () => {
    const spec = { target: 'front', requestsPerSecond: 5 }
    const moved = { ...spec, mode: 'Delay' }
    await client.create(read('follows/v1.0.0/crd.yaml'), { fieldValidation: 'Strict' })
    await release('v1.1.0', 'v1.5.0')
    // Moving and removing cannot be one update: what was stored is in the status until somebody takes it out.
    expect(await refusal('v1.6.0')).toContain('status.storedVersions')
    await withoutConflict(() => trim('v1alpha2'))
    await release('v1.6.0', 'v1.7.0')
    // Nothing converts, so what only the new version has is dropped while objects are stored in the old one.
    expect(await applied('v1alpha3', moved)).toEqual(spec)
    await release('v1.8.0', 'v1.10.0')
    expect(await refusal('v1.11.0')).toContain('status.storedVersions')
    await expect.poll(() => applied('v1alpha3', moved)).toEqual(moved)
    await withoutConflict(() => trim('v1alpha3'))
    await release('v1.11.0', 'v1.15.0')
    expect(await refusal('v1.16.0')).toContain('status.storedVersions')
    await expect.poll(() => applied('v1', { ...moved, key: 'x-client' })).toEqual({ ...moved, key: 'x-client' })
    await withoutConflict(() => trim('v1'))
    await release('v1.16.0', 'v1.17.0')
    expect((await current()).status?.storedVersions).toEqual(['v1'])
  })
})
