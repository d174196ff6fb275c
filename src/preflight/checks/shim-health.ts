/** Shims run, and their provider configs say so. */
import type { InstalledShim } from '../../installation/inventory.types.ts'
import type { CheckContext, ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { couldRead } from '../unread.ts'

/** Shims write their heartbeat every 60 s; the dashboard of AI Runway calls one stale after three. */
const STALE_AFTER_SECONDS = 180

export const check: ClusterCheck = {
  ids: ['shim-not-ready', 'shim-heartbeat-stale', 'provider-config-not-ready'],
  group: 'installation',
  title: 'the shims are ready and their heartbeats are fresh',
  reads: ['deployments', 'providerConfigs'],
  needs: 'cluster',
  run: (context) =>
    context.inventory.shims.flatMap((shim) => [
      ...notReady(shim),
      ...stale(shim, context.now),
      ...configNotReady(shim, context),
    ]),
}

function notReady({ name, replicas, readyReplicas, deployment }: InstalledShim): Finding[] {
  if (replicas > 0 && readyReplicas >= replicas) return []
  const state = replicas === 0 ? 'scaled to 0' : 'not ready'
  return [
    finding({
      id: 'shim-not-ready',
      severity: 'error',
      title: `the shim ${name} is ${state} (${readyReplicas} of ${replicas})`,
      object: deployment,
      evidence: { shim: name, state },
      cause: `Nothing translates ModelDeployments of the provider ${name}: new ones stay pending, and deletions hang on the shim's finalizer.`,
      fix: {
        text: replicas === 0 ? 'Scale it up again.' : 'Look at its pods and their logs.',
        command:
          replicas === 0
            ? `kubectl scale deployment/${deployment.name} -n ${deployment.namespace} --replicas=1`
            : `kubectl logs deployment/${deployment.name} -n ${deployment.namespace} --tail=50`,
      },
    }),
  ]
}

function stale({ name, deployment, providerConfig }: InstalledShim, now: Date): Finding[] {
  const beat = providerConfig?.lastHeartbeat
  if (beat === undefined) return []
  const age = Math.floor((now.getTime() - Date.parse(beat)) / 1000)
  if (age <= STALE_AFTER_SECONDS) return []
  return [
    finding({
      id: 'shim-heartbeat-stale',
      severity: 'warning',
      title: `the shim ${name} last reported ${duration(age)} ago`,
      object: deployment,
      evidence: { shim: name, heartbeat: 'stale' },
      cause: `A shim writes status.lastHeartbeat of its InferenceProviderConfig every 60 s; more than ${STALE_AFTER_SECONDS} s old (${beat}) means that it hangs, has lost its Lease, or is refused the write.`,
      fix: {
        text: 'Look at the log of the shim.',
        command: `kubectl logs deployment/${deployment.name} -n ${deployment.namespace} --tail=50`,
      },
    }),
  ]
}

function configNotReady(
  { name, product, providerConfig, deployment }: InstalledShim,
  { inventory }: CheckContext,
): Finding[] {
  if (providerConfig?.ready) return []
  if (!providerConfig && !couldRead(inventory, 'providerConfigs')) return []
  const config = providerConfig?.name ?? name
  const state = providerConfig ? 'not ready' : 'missing'
  return [
    finding({
      id: 'provider-config-not-ready',
      severity: 'warning',
      title: `the InferenceProviderConfig ${config} is ${state}`,
      evidence: { providerConfig: config, state },
      cause: providerConfig
        ? `The shim ${name} says that its provider cannot be used; ModelDeployments are not assigned to it.`
        : `The shim ${name} registers it when it starts as leader, and has not.`,
      fix: providerConfig
        ? {
            text: 'Its conditions give the reason.',
            command: `kubectl get ${product.crds.inferenceProviderConfigs} ${config} -o yaml`,
          }
        : {
            text: 'Look at the log of the shim.',
            command: `kubectl logs deployment/${deployment.name} -n ${deployment.namespace} --tail=50`,
          },
    }),
  ]
}

function duration(seconds: number): string {
  if (seconds < 600) return `${seconds} s`
  return seconds < 36_000 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`
}
