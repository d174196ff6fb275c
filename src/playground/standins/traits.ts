/** In what a version of a product differs from its neighbours, as far as the stand-ins imitate it. */
import { gte, parse, satisfies } from 'semver'
import type { Product } from '../../releases/release.types.ts'

export interface Traits {
  /** `0.2.0`, without leading `v` */
  version: string
  /** API version its controller and shims read and write */
  apiVersion: string
  /** API versions it serves admission webhooks for */
  admissionVersions: string[]
  /** serves the conversion webhook */
  conversion: boolean
  /** its conversion forgets what the older version has no field for */
  lossy: boolean
  /** what does not work in its controller, although its pod gets ready where it starts at all */
  fault: Fault | undefined
  /** shape of `capabilities.engines` of an InferenceProviderConfig; neither shape decodes as the other */
  engines: 'strings' | 'objects'
  /** forbids sizing and security keys in provider overrides, and very large demands */
  strictAdmission: boolean
  /** top-level fields of a ModelDeployment's spec, and those of spec.engine, that its types have */
  knownFields: { spec: readonly string[]; engine: readonly string[] }
}

/**
 * `start`: ends with an error at once. `webhook`: takes admission requests and never answers. `reconcile`: takes the Lease
 * and reconciles nothing.
 */
export type Fault = 'start' | 'webhook' | 'reconcile'

// what the tag `latest` of each product line runs as
const newestVersions: Record<string, string> = { kubeairunway: '0.4.0', airunway: '0.7.0' }

const commonSpec = [
  'model',
  'provider',
  'engine',
  'serving',
  'scaling',
  'resources',
  'image',
  'env',
  'nodeSelector',
  'secrets',
]
const upstreamSpec = [...commonSpec, 'gateway', 'podTemplate', 'tolerations']
const upstreamEngine = ['type', 'contextLength', 'trustRemoteCode', 'args']
const stableSpec = commonSpec.filter((name) => name !== 'image')
const alphaEngine = ['type', 'contextLength', 'enablePrefixCaching', 'trustRemoteCode', 'args']
const betaEngine = ['type', 'maxModelLength', 'enablePrefixCaching', 'trustRemoteCode', 'args', 'extraArgs']

const stableEngine = [...betaEngine, 'image']

/** The version a tag stands for: itself without `v`, or the product's newest one where it names none. */
export function versionOfTag(product: Product, tag: string | undefined): string {
  const named = tag === undefined ? null : parse(tag.replace(/^v/, ''))
  return named?.version ?? newestVersions[product.name] ?? '0.0.0'
}

/** The traits of a product's version. The releases of `airunway.ai` and kubeairunway v0.3.1 have known only v1alpha1. */
export function traitsOf(product: Product, version: string): Traits {
  const line = product.group === 'airunway.ai' || product.versions === '0.3.1' ? upstream : sample
  return line(product.group, version)
}

function upstream(group: string, version: string): Traits {
  const since = (release: string): boolean => gte(version, release)
  return {
    version,
    apiVersion: `${group}/v1alpha1`,
    admissionVersions: ['v1alpha1'],
    conversion: false,
    lossy: false,
    fault: undefined,
    engines: since('0.6.0') ? 'objects' : 'strings',
    strictAdmission: since('0.6.0'),
    knownFields: {
      spec: upstreamSpec,
      engine: [
        ...upstreamEngine,
        ...(since('0.6.0') ? ['enablePrefixCaching', 'enforceEager'] : []),
        ...(since('0.7.0') ? ['image', 'extraArgs'] : []),
      ],
    },
  }
}

const faults: Partial<Record<string, Fault>> = {
  'broken-start': 'start',
  'broken-webhook': 'webhook',
  'broken-reconcile': 'reconcile',
}
const beta: Traits['knownFields'] = { spec: commonSpec, engine: betaEngine }
const sampleFields: Partial<Record<string, Traits['knownFields']>> = {
  v1alpha1: { spec: commonSpec, engine: alphaEngine },
  v1: { spec: stableSpec, engine: stableEngine },
}
// API versions by the minor of the sample releases; the last one is what a controller reads and writes
const sampleVersions: [range: string, versions: string[]][] = [
  ['<0.2.0', ['v1alpha1']],
  ['0.2.x', ['v1alpha1', 'v1beta1']],
  ['0.3.x || 0.4.x', ['v1beta1']],
  ['>=0.5.0', ['v1beta1', 'v1']],
]

function sample(group: string, version: string): Traits {
  const { major = 0, minor = 0, patch = 0, prerelease = [] } = parse(version) ?? {}
  const release = `${major}.${minor}.${patch}`
  const variant = String(prerelease[0] ?? '')
  const known = sampleVersions.find(([range]) => satisfies(release, range))?.[1] ?? ['v1alpha1']
  const undecodable = variant === 'undecodable'
  const versions = undecodable ? ['v1alpha1'] : variant === 'removes' ? known.slice(-1) : known
  const own = versions.at(-1) ?? 'v1alpha1'
  return {
    version,
    apiVersion: `${group}/${own}`,
    admissionVersions: versions,
    // v0.3.0 still reads what is stored in v1alpha1
    conversion: versions.length > 1 || satisfies(release, '0.3.x'),
    lossy: variant === 'lossy',
    fault: faults[variant],
    engines: undecodable ? 'objects' : 'strings',
    strictAdmission: false,
    knownFields: sampleFields[own] ?? beta,
  }
}

/** Paths of the admission webhooks as kubebuilder derives them from group and version. */
export const admissionPath = (verb: 'mutate' | 'validate', group: string, version: string): string =>
  `/${verb}-${group.replaceAll('.', '-')}-${version}-modeldeployment`
