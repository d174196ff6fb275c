/** What is right and wrong with provider operators, one line a case. */
import type { CheckContext } from '../../../src/preflight/check.types.ts'
import { crdOf, dropOperator, find, row, setCrd, setOperator, stopped } from './changes.ts'
import { at, operator, workload } from './samples.ts'

/** What differs from the healthy cluster, and what is found. */
export type Case<C> = [what: string, change: (context: C) => void, ...found: string[]]

export const operators: Case<CheckContext>[] = [
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

/** Installed, and not running. */
export const operatorsAtRest: Case<CheckContext>[] = [
  ['an operator that ModelDeployments use, scaled to 0', (c) => stopped(c, 'kaito', 0), 'error operator-not-ready'],
  ['an operator without a ready pod', (c) => stopped(c, 'kuberay', 1), 'error operator-not-ready'],
  ['one pod of two ready leads', (c) => void (find(c, 'kaito').replicas = 2)],
  [
    'an operator that is not ready and only has its shim',
    (c) => {
      stopped(c, 'kuberay', 1)
      c.inventory.workloads = [workload('llama', { gpu: true })]
    },
    'warning operator-not-ready',
  ],
  [
    'an operator that nothing uses at all, scaled to 0',
    (c) => c.inventory.operators.push(operator('dynamo', '0.1.0', { replicas: 0, readyReplicas: 0 })),
    'warning operator-not-ready',
  ],
  [
    'an old Deployment that is left behind, scaled to 0, beside one that is ready',
    (c) => c.inventory.operators.push(operator('kaito', '0.4.6', { replicas: 0, readyReplicas: 0 })),
  ],
  ['the GPU operator, GPUs asked for', (c) => stopped(c, 'gpu-operator', 0), 'error operator-not-ready'],
  [
    'the GPU operator, GPUs asked for only where it is not required',
    (c) => {
      stopped(c, 'gpu-operator', 0)
      c.inventory.workloads = [workload('ray', { provider: 'kuberay', gpu: true })]
    },
    'warning operator-not-ready',
  ],
]
