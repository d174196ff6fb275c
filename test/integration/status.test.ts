/** A run that is interrupted half-way: what status, Events, the exported run and the back-up file tell of it. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { Backup } from '../../src/backup/backup.types.ts'
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import type { Progress } from '../../src/report/progress.ts'
import { Refusal } from '../../src/report/refusal.ts'
import type { RunRecord } from '../../src/services/export-run.ts'
import { resume } from '../../src/services/resume.ts'
import type { ChangeRequest } from '../../src/services/run-plan.ts'
import { status } from '../../src/services/status.ts'
import { upgrade } from '../../src/services/upgrade.ts'
import type { StatusReport } from '../../src/status/status.types.ts'
import { changeRequest } from '../support/change-request.ts'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'
import { schemaErrors } from '../support/schemas.ts'
import { root } from '../support/source-graph.ts'

const SYSTEM = 'kubeairunway-system'
const possible = clusterTestsPossible().possible

const isFor = (binding: AnyObject, user: string): boolean =>
  (binding['subjects'] as { name: string }[]).every(({ name }) => name === user)

describe.skipIf(!possible)('a run that is interrupted', () => {
  let cluster: ControlPlane
  const folder = mkdtempSync(join(tmpdir(), 'airunway-status-'))

  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy', pace: PACE })
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await cluster?.stop()
  })

  const standing = async (): Promise<StatusReport> =>
    status({
      connection: { kubeconfig: cluster.kubeconfig },
      recordNamespace: 'airunway-runs',
      now: new Date(),
      signal: new AbortController().signal,
    })
  const upgradeWith = async (rest: Partial<ChangeRequest>) =>
    upgrade(
      { ...changeRequest(cluster), ...rest },
      {
        to: 'v0.2.0',
        releases: cluster.releases,
        conflicts: 'keep',
        dryRun: false,
        tier: 'standby',
        holdStorage: true,
      },
    )
  const cli = (...words: string[]) => {
    const { status: exit, stdout } = spawnSync(process.execPath, [join(root, 'bin/kubectl-airunway.ts'), ...words], {
      env: cluster.env,
      encoding: 'utf8',
    })
    return { exit, stdout }
  }
  const refusal = async (work: Promise<unknown>): Promise<Refusal> => {
    const thrown = await work.catch((error: unknown) => error)
    if (!(thrown instanceof Refusal)) throw new Error('it was not refused', { cause: thrown })
    return thrown
  }

  test('before any run there is nothing to end, and nothing left', async () => {
    const { components, unfinished, leftovers, lock, rollback, unreadable } = await standing()
    expect(components.map(({ component, version }) => [component, version])).toEqual([
      ['controller', 'v0.1.0'],
      ['kaito', 'v0.1.0'],
      ['kuberay', 'v0.1.0'],
    ])
    expect(components[0]?.lease).toMatchObject({ name: 'kubeairunway-controller', fresh: true })
    expect({ unfinished, leftovers, lock, unreadable }).toEqual({
      unfinished: false,
      leftovers: [],
      lock: undefined,
      unreadable: [],
    })
    expect(rollback).toMatchObject({ possible: false })
    expect(cli('status', '--exit-code').exit).toBe(0)
  })

  test('rights are printed to be applied, and for whom is asked with them only', () => {
    const words = ['upgrade', '--to', 'v0.2.0', '--print-rbac', '--for', 'jane']
    const { exit, stdout } = cli(...words)
    expect(exit).toBe(0)
    const objects = parseAllDocuments(stdout).flatMap((each) => (each.toJS() ?? []) as AnyObject | [])
    expect(new Set(objects.map(({ kind }) => kind))).toEqual(
      new Set(['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding']),
    )
    expect(objects.filter(({ kind }) => kind.endsWith('Binding')).every((each) => isFor(each, 'jane'))).toBe(true)
    expect(schemaErrors(cli(...words, '-o', 'json').stdout)).toEqual([])
    expect(cli('upgrade', '--to', 'v0.2.0', '--for', 'jane').exit).toBe(2)
    expect(cli('upgrade', '--to', 'v0.2.0', '--print-rbac', '--dry-run').exit).toBe(2)
  })

  test('a back-up that is too big wants a file, and a file that is there is not replaced: nothing is written', async () => {
    const taken = join(folder, 'taken.json')
    writeFileSync(taken, 'mine')
    const big = await refusal(upgradeWith({ backupLimitBytes: 1000 }))
    expect(big).toMatchObject({ kind: 'usage', next: 'add --backup-file FILE' })
    expect(big.details?.['objects']).toBeGreaterThan(20)
    expect(await refusal(upgradeWith({ backupFile: taken }))).toMatchObject({ kind: 'usage' })
    expect(readFileSync(taken, 'utf8')).toBe('mine')
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name: 'airunway-runs' }
    expect(await cluster.client.find(namespace)).toBeUndefined()
  })

  /** Stops the run as soon as a step of this name has begun. */
  const stoppingAt = (title: string, stop: AbortController): Progress => ({
    task: (name) => {
      if (name.includes(title)) stop.abort()
      return { update: () => undefined, done: () => undefined, fail: () => undefined }
    },
  })
  const events = async (): Promise<AnyObject[]> =>
    cluster.client.list({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      namespace: SYSTEM,
      fieldSelector: 'reportingController=kubectl-airunway',
    })

  test('half-way: how to go on, what is left, and the back-up in its file', async () => {
    const stop = new AbortController()
    const backupFile = join(folder, 'backup.json')
    const request = { progress: stoppingAt('Update CRDs', stop), signal: stop.signal, backupFile, backupLimitBytes: 1 }
    expect(await refusal(upgradeWith(request))).toMatchObject({ kind: 'interrupted' })

    const { unfinished, waysOn, lastRun, lock, rollback, leftovers, components } = await standing()
    expect({ unfinished, lock }).toEqual({ unfinished: true, lock: undefined })
    expect(lastRun).toMatchObject({ number: 1, kind: 'upgrade', state: 'interrupted' })
    expect(waysOn.map((way) => way.split(' ').slice(0, 3).join(' '))).toEqual([
      'kubectl airunway resume',
      'kubectl airunway abort',
      'kubectl airunway rollback',
    ])
    expect(rollback).toEqual({ possible: true, to: 'v0.1.0' })
    expect(components.find(({ component }) => component === 'kaito')?.tier).toBe('standby')
    const told = leftovers.map(({ object, what }) => `${object} ${what}`).join('\n')
    expect(told).toContain(`Deployment ${SYSTEM}/kubeairunway-controller-standby created by run 1`)
    expect(told).toMatch(/^Service \S+ sends webhook requests to pods with .*standby/m)

    const { exit, stdout } = cli('status', '--exit-code', '-o', 'json')
    expect(exit).toBe(6)
    expect(schemaErrors(stdout)).toEqual([])
    expect(cli('status').exit).toBe(0)

    expect(statSync(backupFile).mode & 0o777).toBe(0o600)
    const text = readFileSync(backupFile, 'utf8')
    expect(schemaErrors(text)).toEqual([])
    expect((JSON.parse(text) as Backup).objects.length).toBeGreaterThan(20)
  })

  test('afterwards nothing is left, and the Events tell it all', async () => {
    const resumed = await resume(changeRequest(cluster), { dryRun: false })
    expect(resumed.outcome).toBe('ran')
    const { unfinished, waysOn, leftovers, components, rollback } = await standing()
    expect({ unfinished, waysOn, leftovers }).toEqual({ unfinished: false, waysOn: [], leftovers: [] })
    expect(components.map(({ version }) => version)).toEqual(['v0.2.0', 'v0.2.0', 'v0.2.0'])
    expect(rollback).toEqual({ possible: true, to: 'v0.1.0' })
    const told = await events()
    const reasons = told
      .toSorted((a, b) => (String(a['eventTime']) < String(b['eventTime']) ? -1 : 1))
      .map((event) => String(event['reason']))
    expect(reasons.slice(0, 3)).toEqual(['UpgradeStarted', 'UpgradeInterrupted', 'UpgradeResumed'])
    expect(reasons.filter((reason) => reason === 'UpgradeHandedOver').length).toBeGreaterThan(2)
    expect(reasons.at(-1)).toBe('UpgradeFinished')
    expect(told.every((event) => String(event['note']).startsWith('Run 1 ('))).toBe(true)
    const { uid } = (
      await cluster.client.get({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        namespace: SYSTEM,
        name: 'kubeairunway-controller',
      })
    ).metadata
    expect(new Set(told.map((event) => (event['regarding'] as { uid?: string }).uid))).toEqual(new Set([uid]))
  })

  test('the run as a file: all of it, once, for its owner only', () => {
    const file = join(folder, 'run-1.json')
    const first = cli('history', 'export', '1', file, '-o', 'json')
    expect(first.exit).toBe(0)
    expect(schemaErrors(first.stdout)).toEqual([])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const text = readFileSync(file, 'utf8')
    expect(schemaErrors(text)).toEqual([])
    const record = JSON.parse(text) as RunRecord
    expect(record.summary.state).toBe('succeeded')
    // A run that goes on looks once more after a standby, so a step may be done twice.
    const done = new Set(record.entries.flatMap(({ step, event }) => (event === 'done' ? [step] : [])))
    expect(done.size).toBe(record.plan.steps.length)
    expect(record.backup?.objects.length).toBeGreaterThan(20)

    expect(cli('history', 'export', '1', file).exit).toBe(2)
    expect(readFileSync(file, 'utf8')).toBe(text)
    expect(cli('history', 'export', '9', join(folder, 'nine.json')).exit).toBe(2)
    expect(existsSync(join(folder, 'nine.json'))).toBe(false)
    const printed = cli('history', 'export', '1', '-', '-o', 'yaml').stdout
    expect(printed).toMatch(/^apiVersion: cli.airunway.ai\/v1alpha1\nkind: RunRecord\n/)
    expect(cli('history', '1').stdout).toContain('upgrade')
  })
})
