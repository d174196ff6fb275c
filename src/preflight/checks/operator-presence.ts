/** Operators that the shims depend on and that are not there. */
import type { CheckContext, ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { inUse, operatorTitle, providerMinimums, workloadsOf } from '../subject.ts'
import { couldRead } from '../unread.ts'

export const check: ClusterCheck = {
  ids: ['operator-missing'],
  group: 'operators',
  title: 'every provider in use has its operator',
  reads: ['deployments', 'workloads'],
  needs: 'cluster',
  run(context) {
    const { inventory } = context
    if (!couldRead(inventory, 'deployments')) return []
    return providerMinimums(context)
      .filter(({ provider }) => inUse(inventory, provider))
      .filter(({ provider }) => !inventory.operators.some(({ name }) => name === provider))
      .map(({ provider, minimum }) => missing(provider, minimum, context))
  },
}

function missing(provider: string, minimum: string, { inventory }: CheckContext): Finding {
  const title = operatorTitle(provider)
  const used = workloadsOf(inventory, provider).length > 0
  return finding({
    id: 'operator-missing',
    severity: used ? 'error' : 'warning',
    title: `${title} is not installed`,
    evidence: { operator: provider, minimum, usedByModelDeployments: used },
    cause: used
      ? `ModelDeployments run on the provider ${provider}, and no Deployment of its operator was found in any namespace: nothing turns their resources into pods.`
      : `The shim ${provider} is installed, no ModelDeployment uses it, and no Deployment of its operator was found in any namespace.`,
    fix: {
      text: `Install ${title} ${minimum} or later${used ? '' : ', or remove the shim if the provider is not wanted'}.`,
    },
  })
}
