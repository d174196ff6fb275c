import { describe, expect, test } from 'vitest'
import type { AnyObject } from '../../../src/kubernetes/objects.ts'
import type { Plan, Step } from '../../../src/plan/plan.types.ts'
import { toRepeat } from '../../../src/run/repeat.ts'

const deployment = (name: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'system', name })
const object = (name: string): AnyObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'system' },
})
const apply = (id: string, ...names: string[]): Step => ({
  id,
  title: id,
  kind: 'apply',
  objects: names.map(object),
  conflicts: 'keep',
})
const rollOut = (id: string, name: string): Step => ({
  id,
  title: id,
  kind: 'roll-out',
  deployment: deployment(name),
  container: 'manager',
  image: 'image:2',
  timeoutSeconds: 1,
})
const lease = (id: string, ...names: string[]): Step => ({
  id,
  title: id,
  kind: 'await-lease',
  leases: names.map((name) => ({
    lease: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'system', name },
    deployment: deployment(name),
    image: 'image:2',
  })),
  timeoutSeconds: 1,
})

const plan = {
  steps: [
    apply('01', 'other'),
    apply('02', 'controller'),
    apply('03', 'controller', 'shim'),
    rollOut('04', 'controller'),
    lease('05', 'controller', 'standby'),
    apply('06', 'shim'),
    rollOut('07', 'shim'),
  ],
} as unknown as Plan

describe('what a run that goes on does once more', () => {
  test.each([
    ['nothing before it began', [], []],
    ['nothing where it stopped in an apply', ['01'], []],
    ['the last apply of the Deployment that it waits for', ['01', '02', '03'], ['03']],
    ['that of a Deployment whose Lease it waits for; one that no apply made is left', ['01', '02', '03', '04'], ['03']],
    ['none of what comes later', ['01', '02', '03', '04', '05', '06'], ['06']],
    ['nothing of what has ended', ['01', '02', '03', '04', '05', '06', '07'], []],
  ])('%s', (_, done, repeated) => {
    expect([...toRepeat(plan, new Set(done))]).toEqual(repeated)
  })
})

const standby = { kind: 'stand-by', id: '01', title: '', object: object('controller-standby') }
const service = { kind: 'route', title: '', service: object('service') }
const scale = (id: string, name: string) => ({ id, title: id, kind: 'scale', deployments: [deployment(name)] })
const byStandby = {
  steps: [
    standby,
    { ...service, id: '02' },
    scale('03', 'controller'),
    lease('04', 'controller-standby'),
    apply('05', 'controller'),
    rollOut('06', 'controller'),
    { ...service, id: '07' },
    scale('08', 'controller-standby'),
    lease('09', 'controller'),
  ],
} as unknown as Plan

describe('a standby that may have been deleted meanwhile', () => {
  test.each([
    ['is not there yet', [], []],
    ['comes up again', ['01'], ['01']],
    ['gets the requests again', ['01', '02', '03'], ['01', '02']],
    ['and the Lease', ['01', '02', '03', '04'], ['01', '02', '04']],
    ['but not once the usual one comes back, which may have the Lease', ['01', '02', '03', '04', '05'], ['05']],
    ['nor while it is stopped', ['01', '02', '03', '04', '05', '06', '07'], []],
    ['and stays away when it was stopped', ['01', '02', '03', '04', '05', '06', '07', '08'], ['05']],
  ])('%s', (_, done, repeated) => {
    expect([...toRepeat(byStandby, new Set(done))].toSorted()).toEqual(repeated)
  })
})
