/** Operators that are installed and do not run. */
import type { InstalledOperator } from '../../installation/inventory.types.ts'
import type { CheckContext, ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { gpuProviders, operatorTitle, workloadsOf } from '../subject.ts'

export const check: ClusterCheck = {
  ids: ['operator-not-ready'],
  group: 'operators',
  title: 'the operators that are installed run',
  reads: ['deployments', 'workloads'],
  needs: 'cluster',
  run(context) {
    const { operators } = context.inventory
    // one that moved from a chart to a vendor's add-on may have left its old Deployment behind, scaled to 0
    const running = new Set(operators.filter(({ readyReplicas }) => readyReplicas > 0).map(({ name }) => name))
    return operators.filter(({ name }) => !running.has(name)).map((operator) => notReady(operator, context))
  },
}

function notReady(operator: InstalledOperator, context: CheckContext): Finding {
  const { name, replicas, readyReplicas, deployment, managedBy } = operator
  const used = isUsed(name, context)
  const stopped = replicas === 0
  const state = stopped ? 'scaled to 0' : 'not ready'
  const title = operatorTitle(name)
  const place = `deployment/${deployment.name} -n ${deployment.namespace}`
  const start = managedBy ? `It is managed by ${managedBy}: have ${managedBy} start it again.` : 'Scale it up again.'
  return finding({
    id: 'operator-not-ready',
    severity: used ? 'error' : 'warning',
    title: `${title} is ${state} (${readyReplicas} of ${replicas})`,
    object: deployment,
    evidence: { operator: name, state, usedByModelDeployments: used },
    cause: `The Deployment of ${title} has no ready pod: what shims write for it stays as it is, and nothing repairs what runs.${used ? '' : ' No ModelDeployment uses it.'}`,
    fix: {
      text: stopped ? start : 'Look at its pods and their logs.',
      ...((!stopped || !managedBy) && {
        command: stopped ? `kubectl scale ${place} --replicas=1` : `kubectl describe ${place}`,
      }),
    },
  })
}

/** The GPU operator has no ModelDeployments of its own: those that ask for GPUs of providers that require it use it. */
function isUsed(name: string, context: CheckContext): boolean {
  return name === 'gpu-operator' ? gpuProviders(context).length > 0 : workloadsOf(context.inventory, name).length > 0
}
