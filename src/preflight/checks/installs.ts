/** Exactly one controller must be there. */
import type { Install } from '../../installation/inventory.types.ts'
import type { CheckContext, ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { couldRead } from '../unread.ts'

export const check: ClusterCheck = {
  ids: ['no-installation', 'two-installs'],
  group: 'installation',
  title: 'one controller is installed',
  reads: ['deployments'],
  needs: 'cluster',
  run(context) {
    const { installs } = context.inventory
    if (installs.length === 1) return []
    if (installs.length > 1) return [several(installs)]
    return couldRead(context.inventory, 'deployments') ? [none(context)] : []
  },
}

function none({ release }: CheckContext): Finding {
  return finding({
    id: 'no-installation',
    severity: 'error',
    title: 'AI Runway is not installed on this cluster',
    evidence: { installs: [] },
    cause: 'No Deployment in any namespace runs an AI Runway (or KubeAIRunway) controller image or bears its name.',
    fix: release
      ? { text: 'There is nothing to upgrade: install the release, or choose another cluster with --context.' }
      : { text: 'Choose the right cluster with --context.', command: 'kubectl config get-contexts' },
    acceptable: false,
  })
}

function several(installs: readonly Install[]): Finding {
  const names = installs.map(({ namespace, deployment }) => `${namespace}/${deployment.name}`).toSorted()
  return finding({
    id: 'two-installs',
    severity: 'error',
    title: `${installs.length} controllers are installed: ${names.join(', ')}`,
    evidence: { installs: names },
    cause:
      'Controllers that run side by side hold a Lease each, so each reconciles every ModelDeployment, and each writes its own CA into the same webhook configurations: most admission requests then fail. One that is scaled to 0 may be started again at any time.',
    fix: {
      text: 'Find out which one is wanted. Scale the other to 0, then delete its Deployment and nothing else: deleting its manifest deletes the CRDs.',
      command: installs
        .map(({ namespace, deployment }) => `kubectl describe deployment/${deployment.name} -n ${namespace}`)
        .toSorted()
        .join('; '),
    },
    acceptable: false,
  })
}
