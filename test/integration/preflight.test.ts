/** Preflight against real API servers: each scenario, and what lies just on the other side of each limit. */
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import type { PreflightReport } from '../../src/preflight/report.types.ts'
import { silentProgress } from '../../src/report/progress.ts'
import { type PreflightOptions, preflight } from '../../src/services/preflight.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of preflight are skipped: ${reason}\n`)

const program = fileURLToPath(new URL('../../bin/kubectl-airunway.ts', import.meta.url))

function look(plane: ControlPlane, options: Partial<PreflightOptions> = {}) {
  const connection = { kubeconfig: plane.kubeconfig }
  return preflight({
    connection,
    releases: plane.releases,
    now: new Date(),
    today: new Date('2026-11-22'),
    progress: silentProgress,
    ...options,
  })
}

async function found(plane: ControlPlane, options: Partial<PreflightOptions> = {}): Promise<string[]> {
  const { findings } = await look(plane, options)
  return findings.map(({ id, severity }) => `${severity} ${id}`)
}

/** Runs the program as a user would. */
function run(plane: ControlPlane, args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { env: plane.env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

/** A Node that no kubelet keeps: its version is what the test says. */
async function registerNode(plane: ControlPlane, name: string, kubeletVersion: string): Promise<void> {
  const node: AnyObject = { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: { unschedulable: true } }
  if (!(await plane.client.find(node_(name)))) await plane.client.create(node)
  await plane.client.patch(
    node_(name),
    { status: { nodeInfo: { ...emptyNodeInfo, kubeletVersion, kubeProxyVersion: kubeletVersion } } },
    { type: 'merge', subresource: 'status' },
  )
}

const node_ = (name: string) => ({ apiVersion: 'v1', kind: 'Node', name })

const kaito_ = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'kaito-workspace', namespace: 'kaito-workspace' }

const emptyNodeInfo = {
  machineID: '',
  systemUUID: '',
  bootID: '',
  kernelVersion: '',
  osImage: '',
  containerRuntimeVersion: '',
  operatingSystem: 'linux',
  architecture: 'amd64',
}

describe.skipIf(!possible)('a healthy cluster', () => {
  let plane: ControlPlane

  beforeAll(async () => {
    plane = await startControlPlane({ scenario: 'healthy' })
  })

  afterAll(() => plane?.stop())

  test('passes, with a release too', async () => {
    expect(await found(plane)).toEqual([])
    expect(await found(plane, { to: 'v0.2.0' })).toEqual(['info controller-image-rewritten'])
  })

  test('is not written to', async () => {
    const kubeconfig = await plane.kubeconfigFor({ name: 'looker', groups: ['system:masters'] })
    expect(await found(plane, { to: 'v0.2.0', connection: { kubeconfig } })).toEqual([
      'info controller-image-rewritten',
    ])
    expect(plane.auditEvents(({ user }) => user.username === 'looker')).toEqual([])
  })

  test('gives the same bytes twice for the same moment', async () => {
    const now = new Date()
    const [first, second] = [await look(plane, { to: 'v0.2.0', now }), await look(plane, { to: 'v0.2.0', now })]
    expect(JSON.stringify(second)).toBe(JSON.stringify(first))
  })

  test.each([
    ['a skip of a minor', { to: 'v0.3.0' }, ['error release-skips-minor', 'info controller-image-rewritten']],
    ['the same version', { to: '0.1.0' }, ['info controller-image-rewritten', 'info release-same-version']],
  ])('finds %s', async (_, options, expected) => {
    expect(await found(plane, options)).toEqual(expected)
  })

  test.each<[string, Partial<PreflightOptions>, RegExp]>([
    ['no semantic version', { to: 'latest' }, /not a release version/],
    ['an ID that is none', { accept: ['nothing=x'] }, /no check has the ID/],
    ['a source that is not there', { to: 'v0.2.0', source: '/nowhere' }, /holds no release/],
    ['a compatibility file that is not there', { compatibility: '/nowhere.yaml' }, /cannot be read/],
  ])('refuses %s', async (_, options, message) => {
    await expect(look(plane, options)).rejects.toThrow(message)
  })

  test('a kubelet exactly three minors behind is fine, four are not, and that can be accepted', async () => {
    await registerNode(plane, 'edge', 'v1.33.12')
    expect(await found(plane)).toEqual([])
    await registerNode(plane, 'edge', 'v1.32.13')
    expect(await found(plane)).toEqual(['error kubelet-too-old'])
    const report = await look(plane, { accept: ['kubelet-too-old=replaced tonight'] })
    expect(report).toMatchObject({ verdict: 'passed', counts: { error: 0, accepted: 1 } })
    await plane.client.delete(node_('edge'))
  })

  test('a KAITO of exactly the minimum is fine, one patch below is not, nor is a tag that moves', async () => {
    const kaito = (await plane.client.list({ apiVersion: 'apps/v1', kind: 'Deployment' })).find(
      ({ metadata }) => metadata.name === 'kaito-workspace',
    )
    const ref = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'kaito-workspace',
      namespace: kaito?.metadata.namespace ?? '',
    }
    const setTag = async (tag: string) => {
      const containers = [{ name: 'workspace', image: `mcr.microsoft.com/aks/kaito/workspace:${tag}` }]
      const labels = { 'app.kubernetes.io/version': null, 'helm.sh/chart': null }
      await plane.client.patch(
        ref,
        { metadata: { labels }, spec: { template: { spec: { containers } } } },
        { type: 'strategic' },
      )
    }
    await setTag('0.4.5')
    expect(await found(plane)).toEqual([])
    await setTag('0.4.4')
    expect(await found(plane)).toEqual(['error operator-below-minimum'])
    await setTag('nightly-latest')
    expect(await found(plane)).toEqual(['warning operator-version-unknown'])
    await setTag('0.4.6')
    expect(await found(plane)).toEqual([])
  })

  test('an operator that is scaled to 0 does not run, whatever its version', async () => {
    const scale = (replicas: number) => plane.client.patch(kaito_, { spec: { replicas } }, { type: 'merge' })
    await scale(0)
    await eventually(async () => (await found(plane)).includes('error operator-not-ready'))
    await scale(1)
    await eventually(async () => (await found(plane)).length === 0)
    expect(await found(plane)).toEqual([])
  })

  test('a user without the rights is told what could not be read, and nothing false', async () => {
    const kubeconfig = await plane.kubeconfigFor({ name: 'viewer', view: true })
    const report = await look(plane, { connection: { kubeconfig } })
    expect(new Set(report.findings.map(({ id }) => id))).toEqual(new Set(['unreadable']))
    expect(report.verdict).toBe('blocked')
    // view has neither Nodes nor CRDs, nor the objects of CRDs
    const ofStatus = (status: string) =>
      report.checks.filter((check) => check.status === status).map(({ ids }) => ids.at(0))
    expect(ofStatus('passed')).toEqual(['no-installation', 'kubernetes-older-than-supported', 'kubernetes-end-of-life'])
    expect(ofStatus('unknown')).toContain('kubelet-too-old')
    expect(ofStatus('unknown')).toContain('operator-crd-version-not-served')
  })

  test('nobody sees nothing pass but what everybody may read', async () => {
    const ended = await run(plane, ['preflight', '--as', 'nobody', '--to', 'v0.2.0', '-o', 'json'])
    const { checks, verdict } = JSON.parse(ended.stdout) as PreflightReport
    expect(ended.code).toBe(3)
    expect(verdict).toBe('blocked')
    expect(checks.filter(({ status }) => status === 'passed').map(({ ids }) => ids[0])).toEqual([
      'kubernetes-end-of-life',
    ])
    const { stdout } = await run(plane, ['preflight', '--as', 'nobody'])
    expect(stdout).toMatch(/^\? +Provider operators +0\/5 checks passed$/m)
  })

  test('what it says to type next goes to the same cluster and the same files', async () => {
    const elsewhere = { ...plane, env: { ...plane.env, KUBECONFIG: '/dev/null', AIRUNWAY_RELEASES: '' } }
    const source = join(plane.releases, 'v0.2.0')
    const flags = ['--kubeconfig', plane.kubeconfig, '--source', source, '--accept', 'kubelet-too-old=gone soon']
    const ended = await run(elsewhere, ['preflight', ...flags, '--to', 'v0.2.0', '-o', 'json'])
    const { next } = JSON.parse(ended.stdout) as PreflightReport
    expect(next).toBe(
      `kubectl airunway upgrade --to v0.2.0 --kubeconfig ${plane.kubeconfig} --source ${source} --accept 'kubelet-too-old=gone soon'`,
    )
  })

  test('the program ends with the code of the verdict', async () => {
    const passed = await run(plane, ['preflight', '--to', 'v0.2.0'])
    expect(passed.code).toBe(0)
    expect(passed.stdout).toContain('PASSED')
    const blocked = await run(plane, ['preflight', '--to', 'v0.3.0', '-o', 'json'])
    expect(blocked.code).toBe(3)
    expect(JSON.parse(blocked.stdout)).toMatchObject({ kind: 'PreflightReport', verdict: 'blocked' })
    expect((await run(plane, ['preflight', '--to', 'x'])).code).toBe(2)
    expect((await run(plane, ['preflight', '--kubeconfig', plane.expiredKubeconfig()])).code).toBe(1)
    expect((await run(plane, ['preflight', '--server', 'https://127.0.0.1:1'])).code).toBe(1)
  })

  test("without the release's own data the policy document's rows apply, and warn", async () => {
    const releases = mkdtempSync(join(tmpdir(), 'airunway-releases-'))
    try {
      for (const version of readdirSync(plane.releases)) {
        cpSync(join(plane.releases, version), join(releases, version), {
          recursive: true,
          filter: (file) => !file.endsWith('release.yaml'),
        })
      }
      const ids = await found(plane, { releases })
      expect(ids).toContain('warning kubernetes-newer-than-tested')
      expect(ids.filter((text) => text.startsWith('error'))).toEqual([])
      const { code } = await run(plane, ['preflight', '--releases', releases])
      expect(code).toBe(4)
    } finally {
      rmSync(releases, { recursive: true })
    }
  })
})
