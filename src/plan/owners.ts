/**
 * What ModelDeployments own, and why its owner references have to name a version that is served: the garbage collector looks
 * an owner up by the version in the reference, and takes the 404 of a version that is no longer served for an owner that is
 * gone. Then it deletes the children, which are the models. Seen on Kubernetes 1.36. Pure.
 */
import type { MoveOwnersStep, WorkloadTarget } from './plan.types.ts'

/** Beside the providers' objects: what controllers and shims create for a ModelDeployment (model gateways, downloads, plain Deployments). */
const OWNED: { apiVersion: string; kind: string }[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'batch/v1', kind: 'Job' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'ServiceAccount' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' },
  { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' },
  { apiVersion: 'gateway.networking.k8s.io/v1beta1', kind: 'ReferenceGrant' },
  { apiVersion: 'inference.networking.k8s.io/v1', kind: 'InferencePool' },
  { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule' },
]

/** The step that moves the references away from versions that end; none where no version ends. */
export const moveOwnersSteps = (
  workloads: WorkloadTarget,
  ending: string[],
  staying: string,
): Omit<MoveOwnersStep, 'id'>[] => {
  if (ending.length === 0) return []
  const [group] = workloads.apiVersion.split('/')
  const kinds = [...workloads.providerKinds, ...OWNED]
  return [
    {
      kind: 'move-owners',
      title: `Move owner references to ${staying}`,
      owner: { kind: workloads.kind, from: ending.map((version) => `${group}/${version}`), to: `${group}/${staying}` },
      kinds: kinds.filter(
        ({ apiVersion, kind }, index) =>
          kinds.findIndex((each) => each.apiVersion === apiVersion && each.kind === kind) === index,
      ),
    },
  ]
}
