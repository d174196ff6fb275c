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
  /** shape of `capabilities.engines` of an InferenceProviderConfig; neither shape decodes as the other */
  engines: 'strings' | 'objects'
  /** forbids sizing and security keys in provider overrides, and very large demands */
  strictAdmission: boolean
  /** top-level fields of a ModelDeployment's spec, and those of spec.engine, that its types have */
  knownFields: { spec: readonly string[]; engine: readonly string[] }
}

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
const alphaEngine = ['type', 'contextLength', 'enablePrefixCaching', 'trustRemoteCode', 'args']
const betaEngine = ['type', 'maxModelLength', 'enablePrefixCaching', 'trustRemoteCode', 'args', 'extraArgs']

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

function sample(group: string, version: string): Traits {
  const release = `${parse(version)?.major ?? 0}.${parse(version)?.minor ?? 0}.${parse(version)?.patch ?? 0}`
  const alphaOnly = satisfies(release, '<0.2.0')
  const betaOnly = satisfies(release, '>=0.3.0')
  return {
    version,
    apiVersion: alphaOnly ? `${group}/v1alpha1` : `${group}/v1beta1`,
    admissionVersions: [...(betaOnly ? [] : ['v1alpha1']), ...(alphaOnly ? [] : ['v1beta1'])],
    conversion: satisfies(release, '0.2.x || 0.3.x'),
    engines: 'strings',
    strictAdmission: false,
    knownFields: { spec: commonSpec, engine: alphaOnly ? alphaEngine : betaEngine },
  }
}

/** Paths of the admission webhooks as kubebuilder derives them from group and version. */
export const admissionPath = (verb: 'mutate' | 'validate', group: string, version: string): string =>
  `/${verb}-${group.replaceAll('.', '-')}-${version}-modeldeployment`
