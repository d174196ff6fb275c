/** CRDs, workloads and nodes reduced to what plans and checks look at. Pure. */
import type { AnyObject, CustomResourceDefinition, Node } from '../kubernetes/objects.ts'
import type { CrdState, NodeState, Workload } from './inventory.types.ts'

type Fields = Record<string, unknown>

/** A CRD's versions and stored versions; with `whole` the object itself, for comparisons and backups. */
export function crdState(crd: CustomResourceDefinition, whole: boolean): CrdState {
  const { group, names, versions, conversion } = crd.spec
  return {
    name: crd.metadata.name,
    group,
    kind: names.kind,
    plural: names.plural,
    uid: crd.metadata.uid ?? '',
    versions: versions.map(({ name, served, storage, deprecated = false }) => ({ name, served, storage, deprecated })),
    storedVersions: crd.status?.storedVersions ?? [],
    conversion: conversion?.strategy ?? 'None',
    terminating: crd.metadata.deletionTimestamp !== undefined,
    ...(whole ? { object: crd } : {}),
  }
}

/** A ModelDeployment of any version of its API. */
export function workload(object: AnyObject, pausedAnnotation: string): Workload {
  const { metadata } = object
  const [spec, status] = [fields(object['spec']), fields(object['status'])]
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    phase: typeof status['phase'] === 'string' ? status['phase'] : '',
    provider: providerName(spec['provider']) ?? providerName(status['provider']),
    paused: metadata.annotations?.[pausedAnnotation] === 'true',
    terminating: metadata.deletionTimestamp !== undefined,
    gpu: asksForAccelerators(spec),
  }
}

/** GPU nodes have the resource, or the label of NVIDIA's feature discovery before the device plugin runs. */
export function nodeState(node: Node): NodeState {
  const { kubeletVersion = '', kubeProxyVersion } = node.status?.nodeInfo ?? {}
  const capacity = Number(node.status?.capacity?.['nvidia.com/gpu'] ?? 0)
  return {
    name: node.metadata.name,
    kubeletVersion,
    // Kubelets of 1.33 and later leave it empty, and before that it only repeats the kubelet's own version.
    ...(kubeProxyVersion ? { kubeProxyVersion } : {}),
    gpu: capacity > 0 || node.metadata.labels?.['nvidia.com/gpu.present'] === 'true',
  }
}

function providerName(provider: unknown): string | undefined {
  const name = typeof provider === 'string' ? provider : fields(provider)['name']
  return typeof name === 'string' && name !== '' ? name : undefined
}

/**
 * Is there a count of GPUs above 0 anywhere in the spec? They stand at `resources.gpu`, per role at `scaling.prefill.gpu` and
 * `scaling.decode.gpu`, and in later versions in a list `accelerators`.
 */
function asksForAccelerators(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, entry]) => {
    if (key === 'gpu' || key === 'gpus' || key === 'accelerators') return counts(entry).some((count) => count > 0)
    return asksForAccelerators(entry)
  })
}

function counts(value: unknown): number[] {
  if (Array.isArray(value)) return value.flatMap(counts)
  return [Number(typeof value === 'object' ? (fields(value)['count'] ?? 0) : value)]
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
