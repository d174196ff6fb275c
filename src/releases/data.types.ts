/** Rows of the files in `data/`. */
import type { VersionEvidence } from '../installation/inventory.types.ts'
import type { ProviderConfigChanges, ProviderMinimum } from './release.types.ts'

/** Kubernetes' own support table; what is not known yet is absent. */
export interface KubernetesSupport {
  /** the table says nothing about what happened after this day */
  asOf: string
  minors: {
    /** `1.36` */
    minor: string
    /** day of the .0 release; absent where only the month is known */
    released?: string
    /** day from which only critical fixes are made */
    maintenanceFrom?: string
    endOfLife: string
    /** newest patch known on the day of `asOf` */
    lastPatch: string
    notes?: string
  }[]
}

/** One way in which an operator is installed. */
export interface OperatorFlavour {
  title: string
  /** labels of the Deployment, all of them */
  labels: Record<string, string>
  /** container that is the operator; siblings such as kube-rbac-proxy are not */
  container: string
  /** where the version stands, best first */
  versionFrom: OperatorVersionSource[]
  /** set where the user cannot upgrade it */
  managedBy?: string
}

export interface OperatorVersionSource {
  evidence: Extract<VersionEvidence, 'image tag' | 'label' | 'argument' | 'chart label'>
  /** label name, argument up to its value, or chart name */
  of?: string
}

export interface OperatorRow {
  /** kaito, dynamo, kuberay, gpu-operator */
  name: string
  title: string
  flavours: OperatorFlavour[]
  /** last path segments of its image's repository, for Deployments whose labels were replaced */
  imageSuffixes: string[]
  crds: string[]
}

export interface KnownRelease {
  /** product line, as in products.yaml */
  product: string
  version: string
  released: string
  /** shim images by shim name, with tag or digest */
  shims?: Record<string, string>
  /** image digests of this version by component (`controller` or a shim's name), to tell the version of a running image */
  digests?: Record<string, string>
  /** what its shims need, beyond the policy document's minimums */
  providers?: ProviderMinimum[]
  /** what becomes of provider configs whose form changed within a version, in it or in an earlier release */
  providerConfigs?: ProviderConfigChanges
  notes?: string
}

/** Tags that exist but carry no controller, with what they are. */
export interface TagWithoutController {
  product: string
  version: string
  why: string
}

export interface KnownReleases {
  asOf: string
  releases: KnownRelease[]
  withoutController: TagWithoutController[]
}
