/** One line a case: what differs from the healthy cluster, and what is found, severity included. Near misses find nothing. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { CheckContext, ReleaseContext } from '../../../src/preflight/check.types.ts'
import { checkIds } from '../../../src/preflight/checks.ts'
import type { Finding } from '../../../src/preflight/finding.types.ts'
import { runChecks } from '../../../src/preflight/run-checks.ts'
import {
  beat,
  find,
  kubelet,
  oldSkew,
  range,
  row,
  running,
  server,
  setCrd,
  setOperator,
  stopped,
  stored,
  to,
} from './changes.ts'
import { type Case, operators, operatorsAtRest } from './operator-cases.ts'
import { at, healthy, install, must, release, releaseCrd, upgrading } from './samples.ts'

const seen = new Map<string, Finding[]>()

function found(context: CheckContext): string[] {
  const findings = runChecks(context).flatMap((result) => {
    for (const { id } of result.findings) expect(result.check.ids, 'a check may only find its own IDs').toContain(id)
    return result.findings
  })
  for (const one of findings) seen.set(one.id, [...(seen.get(one.id) ?? []), one])
  return findings.map(({ id, severity }) => `${severity} ${id}`).toSorted()
}

const kubernetes: Case<CheckContext>[] = [
  ['nothing', () => {}],
  ['the lowest minor of the range', (c) => server(c, 30), 'warning kubernetes-end-of-life'],
  [
    'one minor below the range',
    (c) => server(c, 29),
    'error kubernetes-older-than-supported',
    'warning kubernetes-end-of-life',
  ],
  ['one minor above the range', (c) => server(c, 37), 'warning kubernetes-newer-than-tested'],
  ['a patch above everything tested is the same minor', (c) => void (c.inventory.server.gitVersion = 'v1.36.99')],
  ["the policy document's notation, 1.26-1.30", (c) => range(c, '1.26-1.30'), 'warning kubernetes-newer-than-tested'],
  ['no row for the controller', (c) => void (at(c.compatibility, 0).rows = []), 'warning kubernetes-no-matrix-row'],
  ['no matrix at all', (c) => void (c.compatibility = []), 'warning kubernetes-no-matrix-row'],
  ['a row without Kubernetes versions', (c) => void delete row(c).kubernetes, 'warning kubernetes-no-matrix-row'],
  ['the last day of maintenance', (c) => server(c, 34, '2026-10-27T23:00:00Z')],
  ['the day after', (c) => server(c, 34, '2026-10-28T00:00:00Z'), 'warning kubernetes-end-of-life'],
  [
    'a minor that the table does not know yet',
    (c) => server(c, 38),
    'info kubernetes-support-unknown',
    'warning kubernetes-newer-than-tested',
  ],
]

const nodes: Case<CheckContext>[] = [
  ['exactly three minors behind', (c) => kubelet(c, 'v1.33.11')],
  ['four minors behind', (c) => kubelet(c, 'v1.32.13'), 'error kubelet-too-old'],
  ["four behind with a vendor's suffix", (c) => kubelet(c, 'v1.32.4-eks-1a2b3c'), 'error kubelet-too-old'],
  ['a newer patch of the same minor', (c) => kubelet(c, 'v1.36.9+k3s1')],
  ['one minor newer than the server', (c) => kubelet(c, 'v1.37.0'), 'error kubelet-newer-than-server'],
  ['a kubelet below 1.25 two behind', (c) => oldSkew(c, 26, 'v1.24.17')],
  ['a kubelet below 1.25 three behind', (c) => oldSkew(c, 27, 'v1.24.17'), 'error kubelet-too-old'],
  ['a kubelet 1.25 three behind', (c) => oldSkew(c, 28, 'v1.25.16')],
  ['an unreadable kubelet version', (c) => kubelet(c, '')],
  [
    "kube-proxy as the kubelet guesses it is the kubelet's finding",
    (c) => kubelet(c, 'v1.32.0', 'v1.32.0'),
    'error kubelet-too-old',
  ],
  ['kube-proxy four behind', (c) => kubelet(c, 'v1.36.0', 'v1.32.0'), 'error kube-proxy-too-old'],
  ['kube-proxy three behind', (c) => kubelet(c, 'v1.36.0', 'v1.33.0')],
  ['kube-proxy newer', (c) => kubelet(c, 'v1.36.0', 'v1.37.0'), 'error kube-proxy-newer-than-server'],
  [
    'two bad nodes, two findings',
    (c) =>
      c.inventory.nodes.push(
        { name: 'b', kubeletVersion: 'v1.32.0', gpu: false },
        { name: 'c', kubeletVersion: 'v1.32.0', gpu: false },
      ),
    'error kubelet-too-old',
    'error kubelet-too-old',
  ],
]

const installation: Case<CheckContext>[] = [
  ['no controller', (c) => void (c.inventory.installs = []), 'error no-installation'],
  [
    'no controller because Deployments could not be read',
    (c) => {
      c.inventory.installs = []
      c.inventory.unreadable = [{ what: 'deployments', why: 'forbidden' }]
    },
    'error unreadable',
  ],
  ['two controllers', (c) => c.inventory.installs.push(install({ namespace: 'other' })), 'error two-installs'],
  [
    'a mutable tag',
    (c) =>
      void (at(c.inventory.installs, 0).version = { known: false, why: '"latest" moves with every build', detail: '' }),
    'warning controller-version-unknown',
  ],
  ['no pod ready', (c) => void (at(c.inventory.installs, 0).readyReplicas = 0), 'error controller-not-ready'],
  [
    'scaled to 0',
    (c) => void Object.assign(at(c.inventory.installs, 0), { replicas: 0, readyReplicas: 0 }),
    'error controller-not-ready',
  ],
  ['one pod of two ready', (c) => void (at(c.inventory.installs, 0).replicas = 2), 'warning controller-not-ready'],
  ['a stale Lease', (c) => void (must(at(c.inventory.installs, 0).lease).fresh = false), 'error controller-no-leader'],
  ['no Lease', (c) => void (at(c.inventory.installs, 0).lease = undefined), 'error controller-no-leader'],
  ['a released Lease', (c) => void delete must(at(c.inventory.installs, 0).lease).holder, 'error controller-no-leader'],
  [
    'Leases could not be read',
    (c) => {
      at(c.inventory.installs, 0).lease = undefined
      c.inventory.unreadable = [{ what: 'leases', why: 'forbidden' }]
    },
    'error unreadable',
  ],
  ['no shim pod', (c) => void (at(c.inventory.shims, 0).readyReplicas = 0), 'error shim-not-ready'],
  ['a heartbeat of exactly 180 s', (c) => beat(c, '2026-11-22T11:57:00Z')],
  ['a heartbeat of 181 s', (c) => beat(c, '2026-11-22T11:56:59Z'), 'warning shim-heartbeat-stale'],
  [
    'a provider config that is not ready',
    (c) => void (must(at(c.inventory.shims, 0).providerConfig).ready = false),
    'warning provider-config-not-ready',
  ],
  [
    'no provider config',
    (c) => void (at(c.inventory.shims, 0).providerConfig = undefined),
    'warning provider-config-not-ready',
  ],
  [
    'a failed ModelDeployment',
    (c) => void (at(c.inventory.workloads, 0).phase = 'Failed'),
    'warning workloads-not-running',
  ],
  ['a ModelDeployment on its way', (c) => void (at(c.inventory.workloads, 0).phase = 'Deploying')],
  ['a paused one', (c) => void (at(c.inventory.workloads, 0).paused = true)],
  [
    'a paused one that is being deleted',
    (c) => void Object.assign(at(c.inventory.workloads, 0), { paused: true, terminating: true }),
    'warning workload-deletion-paused',
  ],
]

const crds: Case<CheckContext>[] = [
  ['a missing CRD', (c) => void c.inventory.crds.splice(1, 1), 'error crd-missing'],
  [
    'CRDs could not be read',
    (c) => {
      c.inventory.crds.splice(1, 1)
      c.inventory.unreadable = [{ what: 'customresourcedefinitions', why: 'forbidden' }]
    },
    'error unreadable',
  ],
  ['a CRD being deleted', (c) => void (at(c.inventory.crds, 0).terminating = true), 'error crd-terminating'],
  [
    'two stored versions, both served',
    (c) => stored(c, 0, ['v1alpha1', 'v1beta1'], true),
    'warning stored-versions-not-trimmed',
  ],
  [
    'two stored versions, one unserved',
    (c) => stored(c, 0, ['v1alpha1', 'v1beta1'], false),
    'warning stored-version-unserved',
  ],
  [
    "an operator's CRD only informs",
    (c) => stored(c, 2, ['v1alpha1', 'v1beta1'], true),
    'info stored-versions-not-trimmed',
  ],
]

const releases: Case<ReleaseContext>[] = [
  ['nothing', () => {}],
  ['the same version', (c) => void (c.release.version = 'v0.1.0'), 'info release-same-version'],
  ['a patch', (c) => void (c.release.version = 'v0.1.7')],
  ['an older patch', (c) => running(c, '0.2.1'), 'error release-downgrade'],
  ['an older minor', (c) => running(c, '0.3.0'), 'error release-downgrade'],
  ['two minors', (c) => to(c, 'v0.3.0'), 'error release-skips-minor'],
  ['one minor to a late patch', (c) => to(c, 'v0.2.9')],
  ['another major', (c) => to(c, 'v1.0.0'), 'warning release-skips-minor'],
  [
    'a running version that is not known',
    (c) => void (at(c.inventory.installs, 0).version = { known: false, why: '"latest" moves', detail: '' }),
    'warning controller-version-unknown',
  ],
  [
    "the release's row counts, not the running version's",
    (c) => void (at(at(c.compatibility, 0).rows, 0).controller = '0.1.x'),
    'warning kubernetes-no-matrix-row',
  ],
  [
    'a mutable image in the manifest',
    (c) => void (c.release.controller.image = 'ghcr.io/kubeairunway/kubeairunway/controller:latest'),
    'info controller-image-rewritten',
  ],
  ['a shim whose image is unknown', (c) => void delete at(c.release.shims, 0).pinnedImage, 'info shim-stays'],
  ['a shim without a file in the release', (c) => void c.release.shims.splice(0, 1), 'info shim-stays'],
  [
    'a shim that is not installed',
    (c) => c.release.shims.push({ ...at(c.release.shims, 0), name: 'dynamo', pinnedImage: undefined as never }),
  ],
  [
    'the release drops the stored version',
    (c) => void (c.release = release({ objects: [releaseCrd('modeldeployments.kubeairunway.ai', ['v1beta1'])] })),
    'error stored-version-dropped',
  ],
  [
    'the release drops one of two stored versions',
    (c) => {
      stored(c, 0, ['v1alpha1', 'v1beta1'], true)
      c.release = release({ objects: [releaseCrd('modeldeployments.kubeairunway.ai', ['v1beta1'])] })
    },
    'error stored-version-dropped',
    'warning stored-versions-not-trimmed',
  ],
  [
    'the release drops a version in which nothing is stored',
    (c) => {
      setCrd(c, 'modeldeployments.kubeairunway.ai', ['v1alpha1', 'v1beta1'])
      c.release = release({ objects: [releaseCrd('modeldeployments.kubeairunway.ai', ['v1beta1'])] })
    },
  ],
  [
    'the release brings a CRD that is not there yet',
    (c) => c.release.objects.push(releaseCrd('new.kubeairunway.ai', ['v1'])),
  ],
]

describe('what runs now', () => {
  test.each([...kubernetes, ...nodes, ...operators, ...operatorsAtRest, ...installation, ...crds])(
    '%s',
    (_, change, ...expected) => {
      expect(found(healthy(change))).toEqual(expected.toSorted())
    },
  )
})

describe('with a release', () => {
  test.each(releases)('%s', (_, change, ...expected) => {
    expect(found(upgrading(change))).toEqual(expected.toSorted())
  })
})

test('every ID that a check declares is found by at least one case above', () => {
  expect([...seen.keys()].toSorted()).toEqual(checkIds())
})

test('the example of every page has the words of a finding: cause and fix, values aside', () => {
  const words = (text: string): string[] => text.toLowerCase().match(/[a-z]{3,}/g) ?? []
  const stale = checkIds().filter((id) => {
    const page = readFileSync(new URL(`../../../docs/checks/${id}.md`, import.meta.url), 'utf8')
    const example = new Set(words(page.slice(page.indexOf('## Example'))))
    // information is one line: its title
    const told = ({ severity, title, cause, fix }: Finding) =>
      severity === 'info' ? words(title) : words(`${cause} ${fix.text} ${fix.command ?? ''}`)
    const missing = (seen.get(id) ?? []).map((one) => told(one).filter((word) => !example.has(word)))
    return !missing.some((left) => left.length <= 2)
  })
  expect(stale).toEqual([])
})

test.each([
  [32, 'must appear in spec.versions'],
  [33, 'removes v1alpha1 from status.storedVersions'],
])('stored-version-dropped quotes the API server of 1.%i', (minor, words) => {
  const context = upgrading((c) => {
    c.inventory.server.minor = minor
    c.release = release({ objects: [releaseCrd('modeldeployments.kubeairunway.ai', ['v1beta1'])] })
  })
  const finding = runChecks(context)
    .flatMap(({ findings }) => findings)
    .find(({ id }) => id === 'stored-version-dropped')
  expect(finding?.cause).toContain(words)
  expect(finding?.cause).toContain('status.storedVersions[0]')
})

test('stored-version-dropped names what moves the objects, also to a version that is not the storage version yet', () => {
  const crd = 'modeldeployments.kubeairunway.ai'
  // The last one is that of the store.
  const fixes = [['v1beta1', 'v1alpha1'], ['v1alpha1']].map((versions) => {
    const context = upgrading((c) => {
      setCrd(c, crd, versions)
      c.release = release({ objects: [releaseCrd(crd, ['v1beta1'])] })
    })
    return runChecks(context)
      .flatMap(({ findings }) => findings)
      .find(({ id }) => id === 'stored-version-dropped')?.fix
  })
  expect(fixes).toEqual([
    {
      text: expect.stringContaining('Move every object to v1beta1'),
      command: `kubectl airunway migrate ${crd} --storage ${crd}=v1beta1`,
    },
    { text: expect.stringContaining('Go through a release that has both v1alpha1 and a version of') },
  ])
})

test('what one missing right hides is told once, and only Nodes may be accepted', () => {
  const context = healthy((c) => {
    c.inventory.unreadable = [
      { what: 'objects of a', why: 'their CRD could not be read' },
      { what: 'Nodes', why: 'forbidden' },
      { what: 'objects of b', why: 'their CRD could not be read' },
    ]
  })
  const findings = runChecks(context).flatMap((result) => result.findings)
  expect(findings.map(({ title, acceptable }) => [title, acceptable])).toEqual([
    ['could not read objects of a, objects of b', false],
    ['could not read Nodes', true],
  ])
})

test('an operator that a vendor manages is not to be started by hand', () => {
  const fixes = [undefined, 'Azure'].map((managedBy) => {
    const context = healthy((c) => {
      stopped(c, 'kaito', 0)
      if (managedBy) find(c, 'kaito').managedBy = managedBy
    })
    return runChecks(context).flatMap(({ findings }) => findings)[0]?.fix
  })
  expect(fixes).toEqual([
    {
      text: 'Scale it up again.',
      command: 'kubectl scale deployment/kaito-operator -n kaito-system --replicas=1',
    },
    { text: 'It is managed by Azure: have Azure start it again.' },
  ])
})

test('an operator that a vendor manages is not to be upgraded by hand', () => {
  const context = healthy((c) => {
    setOperator(c, 'kaito', '0.4.4')
    find(c, 'kaito').managedBy = 'Azure'
  })
  const fix = runChecks(context).flatMap(({ findings }) => findings)[0]?.fix.text
  expect(fix).toContain('managed by Azure')
})
