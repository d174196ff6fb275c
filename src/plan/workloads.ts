/** Steps that upgrades and rollbacks share: what is proven around a change, and how. Pure. */
import type { ObjectReference } from '../kubernetes/objects.ts'
import type {
  AwaitAdmissionStep,
  AwaitLeaseStep,
  AwaitReconcileStep,
  CompareBaselineStep,
  RollOutStep,
  WorkloadTarget,
} from './plan.types.ts'

/** Long enough for pulling an image; a pod that cannot start is reported while waiting. */
const ROLL_OUT_SECONDS = 300
/** A Lease that is not released is free after 15 s; retries come every 2 s. */
const LEASE_SECONDS = 60
/** A starting controller may need up to 30 s for its certificate. */
const ADMISSION_SECONDS = 90
const RECONCILE_SECONDS = 120

/** A Deployment that runs under leader election. */
export interface LedDeployment {
  /** for people: `the controller`, `the kaito shim` */
  title: string
  deployment: ObjectReference
  container: string
  image: string
  lease: string
}

type Unnumbered<S extends { id: string }> = Omit<S, 'id'>

/** Waits until the Deployment runs the image, and nothing else does. */
export const rollOutStep = (led: LedDeployment): Unnumbered<RollOutStep> => ({
  kind: 'roll-out',
  title: `Roll out ${led.title}`,
  deployment: led.deployment,
  container: led.container,
  image: led.image,
  timeoutSeconds: ROLL_OUT_SECONDS,
})

/** Waits until a pod of each holds its Lease. */
export const leaseStep = (title: string, components: LedDeployment[]): Unnumbered<AwaitLeaseStep> => ({
  kind: 'await-lease',
  title,
  leases: components.map(({ deployment, image, lease }) => ({
    lease: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      ...(deployment.namespace === undefined ? {} : { namespace: deployment.namespace }),
      name: lease,
    },
    deployment,
    image,
  })),
  timeoutSeconds: LEASE_SECONDS,
})

/** Waits until its webhooks answer. */
export const admissionStep = (
  workloads: WorkloadTarget,
  readableVersions: string[],
): Unnumbered<AwaitAdmissionStep> => ({
  kind: 'await-admission',
  title: 'Hear from the webhooks',
  workloads,
  readableVersions,
  timeoutSeconds: ADMISSION_SECONDS,
})

/** Waits until every ModelDeployment, or those of one provider, have been reconciled. */
export const reconcileStep = (workloads: WorkloadTarget, provider?: string): Unnumbered<AwaitReconcileStep> => ({
  kind: 'await-reconcile',
  title: provider === undefined ? 'Prove every reconcile' : `Prove every reconcile of ${provider}`,
  workloads,
  ...(provider === undefined ? {} : { provider }),
  timeoutSeconds: RECONCILE_SECONDS,
})

/** What must run at the end. */
export const runningImage = ({
  deployment,
  container,
  image,
}: LedDeployment): CompareBaselineStep['images'][number] => ({
  deployment,
  container,
  image,
})
