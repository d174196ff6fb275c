/** One line a case: what differs from the healthy cluster, and what is found, severity included. Near misses find nothing. */
import { describe, expect, test } from 'vitest'
import type { CheckContext, ReleaseContext } from '../../../src/preflight/check.types.ts'
import { checkIds } from '../../../src/preflight/checks.ts'
import { runChecks } from '../../../src/preflight/run-checks.ts'
import {
  beat,
  crdOf,
  dropOperator,
  find,
  kubelet,
  oldSkew,
  range,
  row,
  running,
  server,
  setCrd,
  setOperator,
  stored,
  to,
} from './changes.ts'
import { at, healthy, install, must, operator, release, releaseCrd, upgrading, workload } from './samples.ts'

type Case<C> = [what: string, change: (context: C) => void, ...found: string[]]

const seen = new Set<string>()

function found(context: CheckContext): string[] {
  const findings = runChecks(context).flatMap((result) => {
    for (const { id } of result.findings) expect(result.check.ids, 'a check may only find its own IDs').toContain(id)
    return result.findings
  })
  for (const { id } of findings) seen.add(id)
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

const operators: Case<CheckContext>[] = [
  ['exactly the minimum', (c) => setOperator(c, 'kaito', '0.4.5')],
  ['one patch below the minimum', (c) => setOperator(c, 'kaito', '0.4.4'), 'error operator-below-minimum'],
  ['by number and not by letter: 0.10.0', (c) => setOperator(c, 'kaito', '0.10.0')],
  ['a rebuild of the minimum', (c) => setOperator(c, 'kaito', '0.4.5-fix')],
  ['a rebuild below the minimum', (c) => setOperator(c, 'kaito', '0.4.4-fix'), 'error operator-below-minimum'],
  ['a nightly of the minimum', (c) => setOperator(c, 'kaito', '0.4.5-20260101')],
  ['a release candidate of the minimum', (c) => setOperator(c, 'kaito', '0.4.5-rc.1'), 'error operator-below-minimum'],
  ['newer than the row', (c) => setOperator(c, 'kaito', '0.11.0'), 'warning operator-newer-than-tested'],
  ['an old KubeRay', (c) => setOperator(c, 'kuberay', '1.0.0'), 'error operator-below-minimum'],
  [
    'an old operator that nothing uses',
    (c) => c.inventory.operators.push(operator('dynamo', '0.0.9')),
    'warning operator-below-minimum',
  ],
  [
    'a new operator that nothing uses',
    (c) => {
      row(c).operators = { ...row(c).operators, dynamo: '0.1.x' }
      c.inventory.operators.push(operator('dynamo', '1.1.1'))
    },
    'info operator-newer-than-tested',
  ],
  ['a calendar version', (c) => setOperator(c, 'gpu-operator', '24.9.0')],
  [
    'a mutable tag',
    (c) => void (find(c, 'kaito').version = { known: false, why: '"latest" moves with every build', detail: '' }),
    'warning operator-version-unknown',
  ],
  [
    'a mutable tag of an operator without any demand',
    (c) => void (find(c, 'gpu-operator').version = { known: false, why: '"latest" moves', detail: '' }),
  ],
  ['no operator, ModelDeployments use it', (c) => dropOperator(c, 'kaito'), 'error operator-missing'],
  [
    'no operator, only its shim is there',
    (c) => {
      dropOperator(c, 'kaito')
      c.inventory.workloads = []
    },
    'warning operator-missing',
  ],
  [
    'no operator, a ModelDeployment names the provider, no shim',
    (c) => c.inventory.workloads.push(workload('d', { provider: 'dynamo' })),
    'error operator-missing',
    'warning crd-missing',
  ],
  [
    'only the old CRD version is served',
    (c) => setCrd(c, 'workspaces.kaito.sh', ['v1alpha1']),
    'error operator-crd-version-not-served',
  ],
  ['both CRD versions are served', (c) => setCrd(c, 'workspaces.kaito.sh', ['v1alpha1', 'v1beta1'])],
  [
    'the CRD version is there but not served',
    (c) => void (at(crdOf(c, 'workspaces.kaito.sh').versions, 0).served = false),
    'error operator-crd-version-not-served',
  ],
  [
    'another kind of the group does not count',
    (c) => void (crdOf(c, 'workspaces.kaito.sh').kind = 'RAGEngine'),
    'error crd-missing',
  ],
  ['no GPU operator, GPUs by a device plugin', (c) => dropOperator(c, 'gpu-operator'), 'warning gpu-operator-missing'],
  [
    'no GPU operator and no GPUs',
    (c) => {
      dropOperator(c, 'gpu-operator')
      at(c.inventory.nodes, 0).gpu = false
    },
    'error gpu-operator-missing',
  ],
  [
    'no GPU operator, no workload asks for GPUs',
    (c) => {
      dropOperator(c, 'gpu-operator')
      at(c.inventory.workloads, 0).gpu = false
    },
  ],
  [
    'no GPU operator, GPUs wanted on a provider that does not need it',
    (c) => {
      dropOperator(c, 'gpu-operator')
      c.inventory.workloads = [workload('ray', { provider: 'kuberay', gpu: true })]
    },
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
  test.each([...kubernetes, ...nodes, ...operators, ...installation, ...crds])('%s', (_, change, ...expected) => {
    expect(found(healthy(change))).toEqual(expected.toSorted())
  })
})

describe('with a release', () => {
  test.each(releases)('%s', (_, change, ...expected) => {
    expect(found(upgrading(change))).toEqual(expected.toSorted())
  })
})

test('every ID that a check declares is found by at least one case above', () => {
  expect([...seen].toSorted()).toEqual(checkIds())
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

test('an operator that a vendor manages is not to be upgraded by hand', () => {
  const context = healthy((c) => {
    setOperator(c, 'kaito', '0.4.4')
    find(c, 'kaito').managedBy = 'Azure'
  })
  const fix = runChecks(context).flatMap(({ findings }) => findings)[0]?.fix.text
  expect(fix).toContain('managed by Azure')
})
