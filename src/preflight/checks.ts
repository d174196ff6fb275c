/** The one table of checks: a new check is its file and its line here. The order is the order of the report. */
import type { Check } from './check.types.ts'
import { check as controllerHealth } from './checks/controller-health.ts'
import { check as crdPresence } from './checks/crd-presence.ts'
import { check as gpuOperator } from './checks/gpu-operator.ts'
import { check as installs } from './checks/installs.ts'
import { check as kubeProxySkew } from './checks/kube-proxy-skew.ts'
import { check as kubeletSkew } from './checks/kubelet-skew.ts'
import { check as kubernetesRange } from './checks/kubernetes-range.ts'
import { check as kubernetesSupport } from './checks/kubernetes-support.ts'
import { check as operatorCrd } from './checks/operator-crd.ts'
import { check as operatorPresence } from './checks/operator-presence.ts'
import { check as operatorReadiness } from './checks/operator-readiness.ts'
import { check as operatorVersion } from './checks/operator-version.ts'
import { check as releaseHop } from './checks/release-hop.ts'
import { check as releaseImage } from './checks/release-image.ts'
import { check as releaseShims } from './checks/release-shims.ts'
import { check as shimHealth } from './checks/shim-health.ts'
import { check as storedVersionDropped } from './checks/stored-version-dropped.ts'
import { check as storedVersions } from './checks/stored-versions.ts'
import { check as unreadable } from './checks/unreadable.ts'
import { check as workloads } from './checks/workloads.ts'

export const checks: readonly Check[] = [
  unreadable,
  installs,
  controllerHealth,
  shimHealth,
  workloads,
  kubernetesRange,
  kubernetesSupport,
  kubeletSkew,
  kubeProxySkew,
  operatorPresence,
  operatorReadiness,
  operatorVersion,
  operatorCrd,
  gpuOperator,
  crdPresence,
  storedVersions,
  storedVersionDropped,
  releaseHop,
  releaseImage,
  releaseShims,
]

/** Every ID that a finding may bear, sorted. */
export function checkIds(table: readonly Check[] = checks): string[] {
  return [...new Set(table.flatMap(({ ids }) => ids))].toSorted()
}
