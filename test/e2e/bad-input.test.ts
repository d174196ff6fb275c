/** What a user gets wrong, and what the cluster refuses: a clear message, the right exit code, nothing written. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AnyObject, Deployment } from '../../src/kubernetes/objects.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'
import { type Ended, plugin, startPlugin } from '../support/packed-plugin.ts'

const SYSTEM = 'kubeairunway-system'
const OPERATOR = 'operator'

describe.skipIf(!clusterTestsPossible().possible)('refused', () => {
  let cluster: ControlPlane
  let folder: string
  let env: NodeJS.ProcessEnv

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bad-input-'))
    cluster = await startControlPlane({ scenario: 'healthy', pace: PACE })
    env = { ...cluster.env, KUBECONFIG: await cluster.kubeconfigFor({ name: OPERATOR, groups: ['system:masters'] }) }
  }, 180_000)

  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await cluster?.stop()
  })

  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }

  /** Writes of the operator who runs the plugin, dry runs and access reviews aside. */
  const writes = (): string[] =>
    cluster
      .auditEvents(({ user, requestURI }) => user.username === OPERATOR && !/dryRun=All|reviews(\?|$)/.test(requestURI))
      .map(({ verb, requestURI }) => `${verb} ${requestURI}`)

  const expectRefused = (ended: Ended, code: number, text: RegExp): void => {
    expect(ended, ended.stderr).toMatchObject({ code, stdout: '' })
    expect(ended.stderr).toMatch(text)
    expect(ended.stderr).not.toMatch(/\n\s+at |undefined|\[object/)
  }

  test.each<[string, () => string[], RegExp]>([
    ['no version at all', () => ['upgrade', '--yes'], /--to/],
    ['a version that is none', () => ['upgrade', '--to', 'newest', '--yes'], /newest/],
    ['a version that nobody has', () => ['upgrade', '--to', 'v9.9.9', '--yes'], /v9\.9\.9/],
    [
      'a folder that is not there',
      () => ['upgrade', '--to', 'v0.2.0', '--source', join(folder, 'nowhere'), '--yes'],
      /nowhere/,
    ],
    [
      'a file that is no YAML',
      () => ['upgrade', '--to', 'v0.2.0', '--source', file('a.yaml', '{ a: [ }'), '--yes'],
      /a\.yaml/,
    ],
    [
      'YAML that is no release',
      () => ['upgrade', '--to', 'v0.2.0', '--source', file('b.yaml', 'hello: world\n'), '--yes'],
      /b\.yaml/,
    ],
    [
      'a page instead of a release',
      () => ['upgrade', '--to', 'v0.2.0', '--source', file('c.yaml', '<html></html>'), '--yes'],
      /c\.yaml/,
    ],
    ['an unknown flag', () => ['upgrade', '--to', 'v0.2.0', '--force', '--yes'], /force/],
    ['an unknown command', () => ['upgraed'], /upgrade/],
    ['an image for no component', () => ['upgrade', '--to', 'v0.2.0', '--image', 'kaito', '--yes'], /NAME=VALUE/],
    ['no terminal and no --yes', () => ['upgrade', '--to', 'v0.2.0'], /--yes/],
    [
      'an acceptance of nothing known',
      () => ['upgrade', '--to', 'v0.2.0', '--accept', 'kubelet-to-old=x', '--yes'],
      /kubelet-too-old/,
    ],
    ['resume without a run', () => ['resume', '--yes'], /no unfinished run/],
    ['a run that does not exist', () => ['history', '7'], /no run 7/],
  ])('%s: exit 2', async (_title, args, text) => {
    const before = writes()
    expectRefused(await plugin(args(), env), 2, text)
    expect(writes()).toEqual(before)
  })

  test('an empty folder of releases names what it looked for', async () => {
    mkdirSync(join(folder, 'empty'))
    expectRefused(
      await plugin(['upgrade', '--to', 'v0.2.0', '--source', join(folder, 'empty'), '--yes'], env),
      2,
      /install\.yaml/,
    )
  })

  test('no cluster: exit 1', async () => {
    expectRefused(
      await plugin(['upgrade', '--to', 'v0.2.0', '--yes', '--server', 'https://127.0.0.1:1'], env),
      1,
      /127\.0\.0\.1:1/,
    )
  })

  test('expired credentials: exit 1, said as such', async () => {
    const expired = { ...env, KUBECONFIG: cluster.expiredKubeconfig() }
    expectRefused(await plugin(['upgrade', '--to', 'v0.2.0', '--yes'], expired), 1, /credentials/)
  })

  test.each(['upgrade', 'preflight'])(
    '%s by a user bound to view: exit 3, the missing rights by name',
    async (verb) => {
      const viewer = { ...env, KUBECONFIG: await cluster.kubeconfigFor({ name: `viewer-${verb}`, view: true }) }
      const args = verb === 'upgrade' ? ['upgrade', '--to', 'v0.2.0', '--yes'] : ['preflight', '--to', 'v0.2.0']
      const ended = await plugin(args, viewer)
      expect(ended.code).toBe(3)
      expect(`${ended.stdout}${ended.stderr}`).toMatch(/could not read[\s\S]*(CustomResourceDefinitions|Nodes)/i)
      expect(
        cluster.auditEvents(
          ({ user, requestURI }) => user.username === `viewer-${verb}` && !requestURI.endsWith('reviews'),
        ),
      ).toEqual([])
    },
  )

  test.each(['migrate', 'rollback', 'abort', 'resume'])(
    '%s without any right: exit 3, and who can name them all',
    async (verb) => {
      const stranger = { ...env, KUBECONFIG: await cluster.kubeconfigFor({ name: `stranger-${verb}` }) }
      expectRefused(await plugin([verb, '--yes'], stranger), 3, /(forbidden|may not be read)[\s\S]*--print-rbac/)
    },
  )

  test('rollback without a run: exit 8', async () => {
    expectRefused(await plugin(['rollback', '--yes'], env), 8, /nothing to go back to/)
  })

  test('errors are documents too', async () => {
    const ended = await plugin(['rollback', '--yes', '-o', 'json'], env)
    expect(ended.code).toBe(8)
    expect(JSON.parse(ended.stdout)).toMatchObject({ apiVersion: 'cli.airunway.ai/v1alpha1', kind: 'Error' })
  })

  test('Ctrl-C in the middle leaves a run that is explained, goes on, or goes back', { timeout: 180_000 }, async () => {
    const running = startPlugin(['upgrade', '--to', 'v0.2.0', '--yes'], env)
    await eventually(() => /\[5\/\d+\]/.test(running.stderr()), { timeout: 60_000 })
    expectRefused(await plugin(['upgrade', '--to', 'v0.2.0', '--yes'], env), 5, /Another run holds the lock/)
    running.process.kill('SIGINT')
    const ended = await running.ended
    expect(ended.code).toBe(130)
    expect(ended.stderr).toMatch(
      /interrupted in step[\s\S]*Interrupted by the user\. Run 1 is recorded[\s\S]*kubectl airunway resume/,
    )

    const blocked = await plugin(['upgrade', '--to', 'v0.2.0', '--yes'], env)
    expectRefused(blocked, 6, /Run 1 .*interrupted[\s\S]*resume[\s\S]*rollback/)
    const told = await plugin(['history'], env)
    expect(told.stdout).toMatch(/1 +upgrade .*interrupted/)

    // Only so can it be gone back from.
    const resumed = await plugin(['resume', '--hold-storage', '--yes'], env)
    expect(resumed, resumed.stderr).toMatchObject({ code: 0 })
    const back = await plugin(['rollback', '--yes'], env)
    expect(back, back.stderr).toMatchObject({ code: 0 })
  })

  test('two installs that no run explains: exit 3', { timeout: 60_000 }, async () => {
    const { client } = cluster
    const name = 'kubeairunway-controller'
    const live = await client.get<Deployment & AnyObject>({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: SYSTEM,
      name,
    })
    await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'second-system' } })
    await client.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: 'second-system', labels: live.metadata.labels ?? {} },
      spec: { ...live.spec, replicas: 0 },
    })
    const before = writes()
    const ended = await plugin(['upgrade', '--to', 'v0.2.0', '--yes'], env)
    expectRefused(ended, 3, /two-installs[\s\S]*second-system|second-system[\s\S]*two-installs|two-installs/)
    expect(writes()).toEqual(before)
  })
})
