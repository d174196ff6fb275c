/** The controller runs, leads, and says which version it is. */
import type { Install } from '../../installation/inventory.types.ts'
import type { CheckContext, ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { couldRead } from '../unread.ts'

export const check: ClusterCheck = {
  ids: ['controller-version-unknown', 'controller-not-ready', 'controller-no-leader'],
  group: 'installation',
  title: 'the controller is ready, holds its Lease, and its version is known',
  reads: ['deployments', 'leases'],
  needs: 'cluster',
  run: (context) =>
    // of several, one has to be stopped: nothing may advise to start it again
    (context.inventory.installs.length > 1 ? [] : context.inventory.installs).flatMap((install) => [
      ...unknownVersion(install),
      ...notReady(install),
      ...noLeader(install, context),
    ]),
}

function unknownVersion({ version, image, deployment }: Install): Finding[] {
  if (version.known) return []
  return [
    finding({
      id: 'controller-version-unknown',
      severity: 'warning',
      title: 'the version of the controller is not known',
      object: deployment,
      evidence: { image, why: version.why },
      cause: `${version.why}. ${version.detail ? `${version.detail}. ` : ''}Without the version no compatibility row can be looked up, and a rollback has no place to go back to.`,
      fix: {
        text: 'Find out which release runs and pin the image to its tag. A restart of the pod with a mutable tag is an unplanned upgrade.',
        command: `kubectl get pods -n ${deployment.namespace} -o jsonpath='{.items[*].status.containerStatuses[*].imageID}'`,
      },
    }),
  ]
}

function notReady({ replicas, readyReplicas, deployment }: Install): Finding[] {
  if (replicas > 0 && readyReplicas >= replicas) return []
  const some = readyReplicas > 0
  const state = replicas === 0 ? 'scaled to 0' : some ? 'partly ready' : 'not ready'
  return [
    finding({
      id: 'controller-not-ready',
      severity: some ? 'warning' : 'error',
      title: `the controller is ${state} (${readyReplicas} of ${replicas})`,
      object: deployment,
      evidence: { state, replicas },
      cause:
        'Its webhooks have failurePolicy Fail: while no pod is ready, every create and update of a ModelDeployment is refused.',
      fix: {
        text: replicas === 0 ? 'Scale it up again.' : 'Look at its pods and their logs.',
        command:
          replicas === 0
            ? `kubectl scale deployment/${deployment.name} -n ${deployment.namespace} --replicas=1`
            : `kubectl describe deployment/${deployment.name} -n ${deployment.namespace}`,
      },
    }),
  ]
}

/** Readiness says nothing here: the probes are bare pings, and only the holder of the Lease reconciles. */
function noLeader({ lease, deployment, product }: Install, { inventory }: CheckContext): Finding[] {
  if (lease?.fresh && lease.holder) return []
  if (!lease && !couldRead(inventory, 'leases')) return []
  const name = lease?.name ?? product.controller.lease
  const state = !lease ? 'missing' : lease.holder ? 'stale' : 'released'
  return [
    finding({
      id: 'controller-no-leader',
      severity: 'error',
      title: `no controller leads: the Lease ${name} is ${state}`,
      object: deployment,
      evidence: { lease: name, state },
      cause: `Only the holder of the Lease reconciles.${lease?.renewTime ? ` It was renewed last at ${lease.renewTime}.` : ''} Pods can be ready all the same.`,
      fix: {
        text: 'Look at the log of the controller; a lost Lease ends the process, so its restarts tell too.',
        command: `kubectl logs deployment/${deployment.name} -n ${deployment.namespace} --tail=50`,
      },
    }),
  ]
}
