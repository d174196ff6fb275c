/** The report in every format: as people see it, and as its published schema says. */
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { CheckContext, ReleaseContext } from '../../../src/preflight/check.types.ts'
import { checkIds } from '../../../src/preflight/checks.ts'
import { makeReport } from '../../../src/preflight/make-report.ts'
import { documentOf } from '../../../src/report/documents.ts'
import { formats, renderDocument } from '../../../src/report/render.ts'
import { inAscii, plainStyle } from '../../../src/report/style.ts'
import { explain } from '../../../src/services/explain.ts'
import { schemaErrors } from '../../support/schemas.ts'
import { dropOperator, kubelet, range, running, setOperator } from '../preflight/changes.ts'
import { at, healthy, install, release, upgrading, workload } from '../preflight/samples.ts'

const unicode = { color: false, unicode: true, width: 100 }
const cluster = { context: 'prod', server: 'https://127.0.0.1:6443', user: 'admin' }

function reportOf(context: CheckContext, accept: { id: string; reason: string }[] = []) {
  return documentOf('PreflightReport', makeReport(context, { cluster, acceptances: accept }))
}

const samples: [name: string, document: ReturnType<typeof reportOf>][] = [
  ['healthy', reportOf(healthy())],
  ['with a release', reportOf(upgrading())],
  ['warnings', reportOf(healthy((c) => range(c, '1.26-1.30')))],
  ['errors', reportOf(healthy((c) => kubelet(c, 'v1.32.0')))],
  ['nothing installed', reportOf(healthy((c) => void (c.inventory.installs = [])))],
  ['two installs', reportOf(healthy((c) => c.inventory.installs.push(install({ namespace: 'b' }))))],
  ['unreadable', reportOf(healthy((c) => void (c.inventory.unreadable = [{ what: 'Nodes', why: 'forbidden' }])))],
  [
    'accepted and unused',
    reportOf(
      healthy((c) => kubelet(c, 'v1.32.0')),
      [
        { id: 'kubelet-too-old', reason: 'replaced tonight' },
        { id: 'operator-missing', reason: 'not needed' },
      ],
    ),
  ],
  [
    'without a context',
    documentOf('PreflightReport', makeReport(healthy(), { cluster: { server: 'https://127.0.0.1' } })),
  ],
]

/** v0.1.0 to v0.1.0, image and all. */
const sameVersion = (change: (context: ReleaseContext) => void = () => {}) =>
  upgrading((c) => {
    const { image } = at(c.inventory.installs, 0)
    c.release = release({ version: 'v0.1.0', controller: { ...c.release.controller, image, pinnedImage: image } })
    change(c)
  })

const typed = {
  connection: '--kubeconfig good --context c',
  source: '--source DIR',
  options: "--releases R --compatibility c.yaml --accept 'kubelet-too-old=a b'",
}

describe.each(samples)('%s', (_, document) => {
  test('fits the published schema', () => {
    expect(schemaErrors(renderDocument(document, 'json'))).toEqual([])
  })

  test('YAML is the same document', () => {
    expect(parse(renderDocument(document, 'yaml'))).toEqual(JSON.parse(renderDocument(document, 'json')))
  })

  test.each(formats)('%s: the same bytes each time, ending with one newline', (format) => {
    const text = renderDocument(document, format)
    expect(renderDocument(structuredClone(document), format)).toBe(text)
    expect(text).toMatch(/[^\n]\n$/)
  })

  test('ASCII where there is no UTF-8, and no colours unless asked', () => {
    // every character is a newline or printable ASCII
    expect(renderDocument(document, 'human', plainStyle)).toMatch(/^[\n\x20-\x7e]*$/)
  })

  test('colours change nothing but colours', () => {
    const colored = renderDocument(document, 'human', { ...unicode, color: true })
    expect(colored).toContain('\u001b[')
    expect(stripVTControlCharacters(colored)).toBe(renderDocument(document, 'human', unicode))
  })
})

test('the schema notices a missing, a wrong and a foreign field', () => {
  const good = JSON.parse(renderDocument(reportOf(healthy()), 'json')) as Record<string, unknown>
  expect(schemaErrors(JSON.stringify({ ...good, verdict: 'fine' }))).not.toEqual([])
  expect(schemaErrors(JSON.stringify({ ...good, extra: 1 }))).not.toEqual([])
  expect(schemaErrors(JSON.stringify({ ...good, counts: undefined }))).not.toEqual([])
})

test('explanations fit their schema, for one ID and for all', async () => {
  for (const document of [await explain(), await explain('kubelet-too-old')]) {
    expect(schemaErrors(renderDocument(document, 'json'))).toEqual([])
  }
})

test('no page draws UTF-8 where there is none', async () => {
  const pages = await Promise.all(checkIds().map(explain))
  const texts = pages.map((page) => renderDocument(page, 'human', plainStyle))
  for (const text of texts) expect(text).toMatch(/^[\n\x20-\x7e]*$/)
  expect(texts.join('')).not.toContain('?: ')
  expect(inAscii('✓ ✗ – → … ’')).toBe("ok x - -> ... '")
})

test('an explanation is the page itself', async () => {
  const document = await explain('kubelet-too-old')
  expect(renderDocument(document, 'human', unicode)).toBe(document.page)
})

test('healthy, in one screen', () => {
  expect(renderDocument(reportOf(healthy()), 'human', unicode)).toMatchInlineSnapshot(`
    "kubeairunway v0.1.0
    cluster  prod (https://127.0.0.1:6443), Kubernetes v1.36.3
    read     2026-11-22T12:00:00.000Z

    ✓ Installation             5/5 checks passed
    ✓ Kubernetes               4/4 checks passed
    ✓ Provider operators       5/5 checks passed
    ✓ CRDs and stored objects  2/2 checks passed

    PASSED. Nothing to do.
    "
  `)
})

test('before an upgrade, with an error, a warning and information', () => {
  const context = upgrading((c) => {
    kubelet(c, 'v1.32.13')
    c.inventory.nodes.push({ name: 'node-2', kubeletVersion: 'v1.32.13', gpu: false })
    setOperator(c, 'kaito', '0.11.0')
    delete at(c.release.shims, 0).pinnedImage
  })
  expect(renderDocument(reportOf(context), 'human', unicode)).toMatchInlineSnapshot(`
    "kubeairunway v0.1.0 → v0.2.0
    cluster  prod (https://127.0.0.1:6443), Kubernetes v1.36.3
    release  examples/releases/v0.2.0
    read     2026-11-22T12:00:00.000Z

    ✓ Installation             5/5 checks passed
    ✗ Kubernetes               3/4 checks passed
        ✗ not so: kubelets are within the version skew of the API server
    ! Provider operators       4/5 checks passed
        ! not so: provider operators have versions that the controller was tested with
    ✓ CRDs and stored objects  3/3 checks passed
    i Release                  3/3 checks passed

    ✗ kubelet-too-old: kubelet v1.32.13 is 4 minors behind the API server (1.36) (and 1 more alike)
        object Node node-1, Node node-2
        found  kubelet=1.32, server=1.36, allowedMinorsBehind=3
        cause  The version skew policy of Kubernetes allows a kubelet 1.32 at most 3 minors behind the
               API server. Pods on this node may not start or may be reported wrongly.
        fix    Drain the node and upgrade its kubelet to at least 1.33.
                 $ kubectl drain node-1 --ignore-daemonsets
                 $ kubectl drain node-2 --ignore-daemonsets
        more   kubectl airunway explain kubelet-too-old

    ! operator-newer-than-tested: KAITO 0.11.0 is newer than tested (0.4.x - 0.10.x)
        object Deployment kaito-system/kaito-operator
        found  operator=kaito, installed=0.11.0, tested=0.4.x - 0.10.x, source=release.yaml of v0.1.0,
               used=true
        cause  release.yaml of v0.1.0 lists KAITO 0.4.x - 0.10.x. Nothing is known to break, and nothing
               was tested.
        fix    Try this pair on a test cluster, then accept the finding with the reason.
                 $ kubectl airunway preflight --to v0.2.0 --accept 'operator-newer-than-tested=tried on a test cluster'
        more   kubectl airunway explain operator-newer-than-tested

    i shim-stays: the shim kaito stays at ghcr.io/kubeairunway/kubeairunway/kaito-provider:0.1.0

    BLOCKED (2 errors, 1 warning). Next: repair the errors above, then run preflight again.
    "
  `)
})

test.each([
  ['passed, without a release', reportOf(healthy()), 'PASSED. Nothing to do.'],
  ['passed, with one', reportOf(upgrading()), 'PASSED. Next: kubectl airunway upgrade --to v0.2.0'],
  ['warnings', reportOf(healthy((c) => range(c, '1.26-1.30'))), 'WARNINGS (1 warning). Next: read the warnings above'],
  [
    'warnings, with a release',
    reportOf(upgrading((c) => range(c, '1.26-1.30'))),
    'WARNINGS (1 warning). Next: go on with  kubectl airunway upgrade --to v0.2.0',
  ],
  ['the version that runs', reportOf(sameVersion()), 'PASSED. v0.1.0 runs already: nothing to do.'],
  [
    'the version that runs, with a warning',
    reportOf(sameVersion((c) => range(c, '1.26-1.30'))),
    'WARNINGS (1 warning). v0.1.0 runs already: read the warnings above',
  ],
  [
    'the version that runs, by another image',
    reportOf(sameVersion((c) => void (at(c.inventory.installs, 0).image = 'mirror.example/controller:0.1.0'))),
    'PASSED. Next: kubectl airunway upgrade --to v0.1.0',
  ],
  [
    'blocked',
    reportOf(
      healthy((c) => {
        dropOperator(c, 'kaito')
        dropOperator(c, 'kuberay')
        kubelet(c, 'v1.32.0')
      }),
      [{ id: 'kubelet-too-old', reason: 'known' }],
    ),
    'BLOCKED (2 errors, 1 accepted). Next: repair the errors above, then run preflight again.',
  ],
  ['a downgrade', reportOf(upgrading((c) => running(c, '0.3.0'))), 'BLOCKED'],
])('the last line says what next: %s', (_, document, words) => {
  expect(renderDocument(document, 'human', unicode).trimEnd().split('\n').at(-1)).toContain(words)
})

describe('what was typed is carried on', () => {
  const all = `${typed.connection} ${typed.source} ${typed.options}`

  test('into the next command', () => {
    const report = reportOf({ ...upgrading(), typed })
    expect(report).toHaveProperty('next', `kubectl airunway upgrade --to v0.2.0 ${all}`)
    expect(renderDocument(report, 'human', unicode)).toContain(
      `PASSED. Next: kubectl airunway upgrade --to v0.2.0 ${all}\n`,
    )
    expect(schemaErrors(renderDocument(report, 'json'))).toEqual([])
  })

  test.each<[string, CheckContext]>([
    ['blocked', upgrading((c) => kubelet(c, 'v1.32.0'))],
    ['nothing to go to', healthy()],
    ['it runs already', sameVersion()],
  ])('there is none: %s', (_, context) => {
    expect(reportOf({ ...context, typed })).not.toHaveProperty('next')
  })

  test.each<[string, CheckContext, string]>([
    [
      'kubernetes-newer-than-tested',
      upgrading((c) => range(c, '1.26-1.30')),
      `preflight --to v0.2.0 ${all} --accept 'kubernetes-newer-than-tested=tried on a test cluster'`,
    ],
    [
      'operator-newer-than-tested',
      healthy((c) => setOperator(c, 'kaito', '0.11.0')),
      `preflight ${all} --accept 'operator-newer-than-tested=tried on a test cluster'`,
    ],
    ['release-downgrade', upgrading((c) => running(c, '0.3.0')), `rollback ${typed.connection}`],
    [
      // its source is that of another version
      'release-skips-minor',
      upgrading((c) => void (c.release.version = 'v0.3.0')),
      `preflight --to v0.2.0 ${typed.connection} ${typed.options}`,
    ],
  ])('into the fix of %s', (id, context, words) => {
    const found = reportOf({ ...context, typed }).findings.find((one) => one.id === id)
    expect(found?.fix.command).toBe(`kubectl airunway ${words}`)
  })

  test('and changes no evidence', () => {
    const hashes = (context: CheckContext) => reportOf(context).findings.map(({ evidenceHash }) => evidenceHash)
    const context = upgrading((c) => range(c, '1.26-1.30'))
    expect(hashes({ ...context, typed })).toEqual(hashes(context))
  })
})

describe('what could not be read', () => {
  const unread = (...what: string[]) =>
    healthy((c) => void (c.inventory.unreadable = what.map((name) => ({ what: name, why: 'forbidden' }))))
  const withStatus = (context: CheckContext, status: string) =>
    reportOf(context)
      .checks.filter((check) => check.status === status)
      .map(({ ids }) => ids[0])

  test.each<[string, string[]]>([
    ['Nodes', ['kubelet-too-old', 'kube-proxy-too-old']],
    ['Lease kubeairunway-system/kubeairunway-controller', ['controller-version-unknown']],
    ['objects of inferenceproviderconfigs.kubeairunway.ai', ['shim-not-ready']],
    [
      'objects of modeldeployments.kubeairunway.ai',
      [
        'workloads-not-running',
        'operator-missing',
        'operator-not-ready',
        'operator-below-minimum',
        'operator-crd-version-not-served',
        'gpu-operator-missing',
      ],
    ],
    [
      'CustomResourceDefinitions workspaces.kaito.sh',
      ['operator-crd-version-not-served', 'crd-missing', 'stored-version-unserved'],
    ],
  ])('%s', (what, ids) => expect(withStatus(unread(what), 'unknown')).toEqual(ids))

  test('an error that was seen all the same stays one, and so does a warning', () => {
    const context = healthy((c) => {
      kubelet(c, 'v1.32.0')
      c.inventory.unreadable = [{ what: 'Nodes', why: 'cut off' }]
    })
    expect(withStatus(context, 'unknown')).toEqual(['kube-proxy-too-old'])
  })

  test('by somebody who may read nothing', () => {
    const context = healthy((c) => {
      const { server, takenAt } = c.inventory
      const names = [
        'CustomResourceDefinitions inferenceproviderconfigs.kubeairunway.ai, modeldeployments.kubeairunway.ai',
        'Deployments of all namespaces',
        'Nodes',
        'objects of inferenceproviderconfigs.kubeairunway.ai',
        'objects of modeldeployments.kubeairunway.ai',
      ]
      const unreadable = names.map((what) => ({ what, why: 'forbidden' }))
      const empty = { nodes: [], installs: [], shims: [], operators: [], crds: [], workloads: [] }
      c.inventory = { server, takenAt, ...empty, unreadable }
    })
    expect(withStatus(context, 'passed')).toEqual(['kubernetes-end-of-life'])
    expect(schemaErrors(renderDocument(reportOf(context), 'json'))).toEqual([])
    const [, groups] = renderDocument(reportOf(context), 'human', unicode).split('\n\n')
    expect(groups).toMatchInlineSnapshot(`
      "✗ Installation             0/5 checks passed
          ✗ not so: everything that the checks look at could be read
          ? not known whether: one controller is installed
          ? not known whether: the controller is ready, holds its Lease, and its version is known
          ? not known whether: the shims are ready and their heartbeats are fresh
          ? not known whether: no ModelDeployment has failed or hangs in its deletion
      ? Kubernetes               1/4 checks passed
          ? not known whether: Kubernetes is a version that the controller was tested with
          ? not known whether: kubelets are within the version skew of the API server
          ? not known whether: kube-proxy is within the version skew of the API server
      ? Provider operators       0/5 checks passed
          ? not known whether: every provider in use has its operator
          ? not known whether: the operators that are installed run
          ? not known whether: provider operators have versions that the controller was tested with
          ? not known whether: the operators serve the API versions that the shims write
          ? not known whether: GPU workloads have the GPU operator that their provider needs
      ? CRDs and stored objects  0/2 checks passed
          ? not known whether: the CRDs are there and none is being deleted
          ? not known whether: objects are stored in one version only"
    `)
  })
})

test('many alike findings are told once, with five of their commands', () => {
  const context = healthy((c) => {
    c.inventory.workloads = Array.from({ length: 300 }, (_, index) => workload(`m-${index}`, { phase: 'Failed' }))
  })
  const text = renderDocument(reportOf(context), 'human', unicode)
  expect(text.split('\n').length).toBeLessThan(40)
  expect(text).toContain('(and 299 more alike)')
  expect(text).toContain('and 295 more')
  expect(text.match(/^ +\$ kubectl describe .*$/gm)).toHaveLength(5)
  expect(text).toContain('and 295 more like these')
})

test('control characters from the cluster do not reach the terminal', () => {
  const context = healthy((c) => {
    at(c.inventory.installs, 0).image = 'evil\u001b[2J\u009b:latest'
    at(c.inventory.installs, 0).version = { known: false, why: 'a\rb', detail: '' }
  })
  const text = renderDocument(reportOf(context), 'human', unicode)
  expect(text).toContain('evil?[2J?:latest')
  expect(text).not.toMatch(/(?!\n)\p{Cc}/u)
})
