/** What a version consists of. */
import type { AnyObject, ObjectReference } from '../kubernetes/objects.ts'

/** The names one product goes by in one period of its life; rows of `data/products.yaml`. */
export interface Product {
  /** `kubeairunway` or `airunway`; stable key for records and data. */
  name: string
  title: string
  /** API group of its CRDs. */
  group: string
  namespace: string
  /** Versions of the product that bear these names, a semver range over versions without `v`. */
  versions: string
  controller: {
    /** Deployment name */
    deployment: string
    /** container that runs the controller */
    container: string
    /** last path segments of the image repository that tell the controller, for example `airunway/controller` */
    imageSuffix: string
    serviceAccount: string
    lease: string
    webhookSecret: string
    webhookService: string
    mutatingWebhook: string
    validatingWebhook: string
  }
  shims: {
    /** `kaito` */
    name: string
    deployment: string
    imageSuffix: string
    lease: string
    /** name of its InferenceProviderConfig */
    providerConfig: string
    /** what it writes */
    resource: { apiVersion: string; kind: string }
  }[]
  crds: { modelDeployments: string; inferenceProviderConfigs: string }
  pausedAnnotation: string
  /** names of install files below a release folder, first found wins */
  installFiles: string[]
  /** names of shim files beside it; `{shim}` stands for the shim's name */
  shimFiles: string[]
  /** where a release's files are fetched from: `{version}` and `{file}` are replaced; a git tag, never a branch */
  urlTemplate: string
  /** CRD fingerprints (sha256[:12] of spec.versions without descriptions, keys sorted) by version */
  fingerprints: { version: string; modelDeployments: string; inferenceProviderConfigs: string }[]
}

/**
 * What an object of a release is for; it decides when and how the object is applied.
 * `access` is ServiceAccounts and RBAC, `webhookSecret` the certificate Secret whose data is never touched.
 */
export type ObjectRole =
  | 'namespace'
  | 'crd'
  | 'access'
  | 'webhookSecret'
  | 'service'
  | 'controller'
  | 'webhookConfiguration'
  | 'other'

export interface ReleaseObject {
  role: ObjectRole
  object: AnyObject
}

/** A provider shim as a release's files describe it. */
export interface ReleaseShim {
  name: string
  /** file it was read from */
  file: string
  objects: AnyObject[]
  /** image as written in the file */
  image: string
  /** image to run, when `release.yaml` or known-release data names one; undefined means unknown: the shim stays as it is */
  pinnedImage?: string
}

/** One row of a compatibility matrix. Ranges are semver ranges; Kubernetes ranges are over minors ("1.30 - 1.36"). */
export interface CompatibilityRow {
  /** range of controller versions the row is for, for example `0.1.x` */
  controller: string
  kubernetes?: string
  /** by operator name: kaito, dynamo, kuberay, gpu-operator */
  operators?: Record<string, string>
}

export interface ProviderMinimum {
  provider: string
  /** minimum operator version, with or without `v` */
  minimum: string
  /** CRD API version the shim speaks, for example `kaito.sh/v1beta1` */
  crdApiVersion: string
  /** GPU workloads of this provider need the NVIDIA GPU operator */
  gpuOperator?: boolean
  notes?: string
}

export interface Compatibility {
  /** where it comes from, for messages: `--compatibility FILE`, `release.yaml of v0.2.0`, `policy document (data/compatibility.yaml)` */
  source: string
  rows: CompatibilityRow[]
  providers: ProviderMinimum[]
}

/**
 * How InferenceProviderConfigs get the form of a release that changed it within a version. The API server prunes what the
 * new schema does not know before anybody reads it, so only somebody with a back-up can do it without a loss.
 */
export interface ProviderConfigChanges {
  /** lists of plain values that become lists of objects: the value goes under `key`, the fields `copied` from beside the list into each */
  itemsToObjects: { field: string; key: string; copied: string[] }[]
  /** fields that go, and the annotation that takes the value: text as it is, everything else as JSON */
  toAnnotations: { field: string; annotation: string }[]
}

export interface Release {
  product: Product
  /** with leading `v` */
  version: string
  /** where it was read: a path or URL, for messages and records */
  source: string
  /** sha256 over the files read, for records and the plan hash */
  digest: string
  /** all objects of the install file, in file order, the controller's image pinned */
  objects: ReleaseObject[]
  controller: {
    ref: ObjectReference
    /** image as written in the file */
    image: string
    /** image this tool will run: the version's tag (no `v`) or a digest, on the registry asked for */
    pinnedImage: string
  }
  shims: ReleaseShim[]
  /** only from release.yaml beside the manifest or data/ for known releases */
  compatibility?: Compatibility
  /** the same; absent where the release says nothing */
  providerConfigs?: ProviderConfigChanges
}
