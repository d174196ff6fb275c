/** Preflight through kubectl, from the built bundle: each scenario gives its finding and exit code, what is just within a limit none. */
import { describe, expect, test } from 'vitest'
import { scenarioNodes } from '../../src/playground/scenarios.ts'
import type { PreflightReport } from '../../src/preflight/report.types.ts'
import { type ControlPlaneOptions, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'
import { plugin } from '../support/packed-plugin.ts'
import { schemaErrors } from '../support/schemas.ts'

interface Row {
  title: string
  cluster: ControlPlaneOptions
  args?: string[]
  code: number
  /** errors and warnings, each once */
  findings: string[]
}

const rows: Row[] = [
  { title: 'healthy', cluster: { scenario: 'healthy' }, args: ['--to', 'v0.2.0'], code: 0, findings: [] },
  {
    title: 'policy-matrix',
    cluster: { scenario: 'policy-matrix' },
    code: 4,
    findings: ['warning kubernetes-newer-than-tested', 'warning operator-newer-than-tested'],
  },
  {
    title: 'old-provider',
    cluster: { scenario: 'old-provider' },
    code: 3,
    findings: [
      'error operator-below-minimum',
      'error operator-crd-version-not-served',
      'warning workloads-not-running',
    ],
  },
  { title: 'skewed-nodes', cluster: { scenario: 'skewed-nodes' }, code: 3, findings: ['error kubelet-too-old'] },
  {
    title: 'stored-v1alpha1',
    cluster: { scenario: 'stored-v1alpha1' },
    args: ['--to', 'v0.4.0'],
    code: 3,
    findings: ['error stored-version-dropped', 'warning stored-version-unserved'],
  },
  {
    title: 'a kubelet exactly three minors behind, and KAITO exactly at its minimum',
    cluster: {
      scenario: 'healthy',
      nodes: scenarioNodes('healthy', 36, { kubeletMinorsBehind: 3 }),
      scenarioOptions: { operatorVersions: { kaito: '0.4.5' } },
    },
    code: 0,
    findings: [],
  },
  {
    title: 'a Kubernetes that is no longer maintained',
    cluster: { scenario: 'healthy', kubernetes: '1.30' },
    code: 4,
    findings: ['warning kubernetes-end-of-life'],
  },
]

describe.skipIf(!clusterTestsPossible().possible)('kubectl airunway preflight', () => {
  test.each(rows)('$title: exit $code', async ({ cluster: options, args = [], code, findings }) => {
    await using cluster = await startControlPlane(options)
    const env = { ...cluster.env, LANG: 'C.UTF-8' }
    const ended = await plugin(['preflight', ...args, '-o', 'json'], env)
    expect(schemaErrors(ended.stdout), ended.stderr).toEqual([])
    const report = JSON.parse(ended.stdout) as PreflightReport
    const found = report.findings
      .filter(({ severity }) => severity !== 'info')
      .map(({ id, severity }) => `${severity} ${id}`)
    expect([...new Set(found)].toSorted()).toEqual(findings)
    expect(ended.code).toBe(code)
    const shown = await plugin(['preflight', ...args], env)
    expect(shown.code).toBe(code)
    for (const finding of findings) expect(shown.stdout).toContain(finding.split(' ')[1])
    expect(shown.stdout.split('\n').length).toBeLessThan(60)
  })
})
