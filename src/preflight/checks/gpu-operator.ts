/** GPU workloads of providers that need the NVIDIA GPU operator. */
import type { ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'
import { gpuProviders, operatorTitle } from '../subject.ts'
import { couldRead } from '../unread.ts'

export const check: ClusterCheck = {
  ids: ['gpu-operator-missing'],
  group: 'operators',
  title: 'GPU workloads have the GPU operator that their provider needs',
  reads: ['deployments', 'workloads'],
  needs: 'cluster',
  run(context) {
    const { inventory } = context
    if (!couldRead(inventory, 'deployments')) return []
    if (inventory.operators.some(({ name }) => name === 'gpu-operator')) return []
    const providers = gpuProviders(context)
    if (providers.length === 0) return []
    // capacity without the operator comes from a plain device plugin, as on AKS: models run, unmanaged
    const plugin = inventory.nodes.some(({ gpu }) => gpu)
    const names = providers.map(operatorTitle).join(' and ')
    return [
      finding({
        id: 'gpu-operator-missing',
        severity: plugin ? 'warning' : 'error',
        title: plugin
          ? `${names} needs the NVIDIA GPU operator; GPUs come from a plain device plugin`
          : `${names} needs the NVIDIA GPU operator, and no node offers GPUs`,
        evidence: { providers, gpuNodes: plugin },
        cause: plugin
          ? 'ModelDeployments that ask for GPUs run on providers for which the GPU operator is required. Nodes do offer nvidia.com/gpu, so a device plugin is there without the operator.'
          : 'ModelDeployments ask for GPUs, no Deployment of the GPU operator was found, and no node has nvidia.com/gpu capacity: their pods cannot be scheduled.',
        fix: {
          text: plugin
            ? 'Install the NVIDIA GPU operator, or accept the finding where drivers and device plugin are managed otherwise.'
            : 'Install the NVIDIA GPU operator.',
        },
      }),
    ]
  },
}
