/** ModelDeployments that do not run already before anything is changed. */
import type { Workload } from '../../installation/inventory.types.ts'
import type { CheckContext, ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { productInQuestion } from '../subject.ts'

export const check: ClusterCheck = {
  ids: ['workloads-not-running', 'workload-deletion-paused'],
  group: 'installation',
  title: 'no ModelDeployment has failed or hangs in its deletion',
  reads: ['workloads'],
  needs: 'cluster',
  run: (context) =>
    context.inventory.workloads.flatMap((workload) => [...failed(workload, context), ...hanging(workload, context)]),
}

function failed(workload: Workload, context: CheckContext): Finding[] {
  if (workload.phase !== 'Failed') return []
  return [
    finding({
      id: 'workloads-not-running',
      severity: 'warning',
      title: `ModelDeployment ${workload.namespace}/${workload.name} has failed`,
      object: reference(workload, context),
      evidence: { phase: workload.phase, provider: workload.provider ?? 'none' },
      cause: 'It was Failed before anything was changed. After an upgrade nobody can tell old failures from new ones.',
      fix: { text: 'Repair or delete it first; its conditions give the reason.', command: show(workload, context) },
    }),
  ]
}

/** Shims look at the pause annotation before they look at a deletion, so a paused object that is deleted stays for ever. */
function hanging(workload: Workload, context: CheckContext): Finding[] {
  if (!workload.terminating || !workload.paused) return []
  const annotation = productInQuestion(context)?.pausedAnnotation
  return [
    finding({
      id: 'workload-deletion-paused',
      severity: 'warning',
      title: `ModelDeployment ${workload.namespace}/${workload.name} is being deleted but paused`,
      object: reference(workload, context),
      evidence: { terminating: true, paused: true },
      cause: 'The shim that must remove its finalizer skips paused objects, so the deletion never ends.',
      fix: annotation
        ? {
            text: 'Remove the pause annotation.',
            command: `kubectl annotate ${resource(context)} ${workload.name} -n ${workload.namespace} ${annotation}-`,
          }
        : { text: 'Remove the pause annotation.' },
    }),
  ]
}

function resource(context: CheckContext): string {
  return productInQuestion(context)?.crds.modelDeployments ?? 'modeldeployments'
}

function show(workload: Workload, context: CheckContext): string {
  return `kubectl describe ${resource(context)} ${workload.name} -n ${workload.namespace}`
}

/** The version of the reference is the storage version: always there, and the same whoever looks. */
function reference(workload: Workload, context: CheckContext) {
  const name = productInQuestion(context)?.crds.modelDeployments
  const crd = context.inventory.crds.find((candidate) => candidate.name === name)
  const version = crd?.versions.find(({ storage }) => storage)?.name ?? 'v1alpha1'
  const apiVersion = `${crd?.group ?? productInQuestion(context)?.group ?? 'airunway.ai'}/${version}`
  return { apiVersion, kind: 'ModelDeployment', namespace: workload.namespace, name: workload.name }
}
