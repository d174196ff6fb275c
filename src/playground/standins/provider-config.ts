/** InferenceProviderConfigs: what a shim writes into its own, and what a controller reads from them. */
import type { EngineCapability, InferenceProviderConfig } from './model-deployment.ts'
import type { Traits } from './traits.ts'

interface ProviderOffer {
  engines: string[]
  servingModes: string[]
  gpuSupport: boolean
  cpuSupport: boolean
}

const offers: Record<string, ProviderOffer> = {
  kaito: { engines: ['vllm', 'llamacpp'], servingModes: ['aggregated'], gpuSupport: true, cpuSupport: true },
  dynamo: {
    engines: ['vllm', 'sglang', 'trtllm'],
    servingModes: ['aggregated', 'disaggregated'],
    gpuSupport: true,
    cpuSupport: false,
  },
  kuberay: { engines: ['vllm'], servingModes: ['aggregated', 'disaggregated'], gpuSupport: true, cpuSupport: false },
  llmd: { engines: ['vllm'], servingModes: ['aggregated', 'disaggregated'], gpuSupport: true, cpuSupport: false },
  vllm: { engines: ['vllm'], servingModes: ['aggregated'], gpuSupport: true, cpuSupport: false },
}

const none: ProviderOffer = { engines: [], servingModes: [], gpuSupport: false, cpuSupport: false }

/** The spec a shim registers: engines as strings with flags beside them, or as objects that carry the flags. */
export function registeredSpec(shim: string, engines: Traits['engines']): Record<string, unknown> {
  const offer = offers[shim] ?? none
  const { engines: names, ...flags } = offer
  const capabilities =
    engines === 'strings' ? { engines: names, ...flags } : { engines: names.map((name) => ({ name, ...flags })) }
  return { capabilities, selectionRules: [{ condition: 'true', priority: shim === 'kaito' ? 10 : 0 }] }
}

/**
 * The engines of a config, decoded into the types of a version. Throws an Error where the config has the other shape, as
 * Go's decoder does: one such config fails the whole list.
 */
export function decodeEngines(config: InferenceProviderConfig, engines: Traits['engines']): EngineCapability[] {
  const capabilities = config.spec?.capabilities ?? {}
  const shared = {
    servingModes: strings(capabilities['servingModes']),
    gpuSupport: capabilities['gpuSupport'] === true,
    cpuSupport: capabilities['cpuSupport'] === true,
  }
  return (capabilities.engines ?? []).map((engine) => {
    if (engines === 'strings') {
      if (typeof engine === 'string') return { name: engine, ...shared }
      throw new Error(`json: cannot unmarshal ${kindOf(engine)} into Go struct field ProviderCapabilities`)
    }
    if (typeof engine !== 'object' || engine === null) {
      throw new Error(`json: cannot unmarshal ${kindOf(engine)} into Go struct field EngineCapability`)
    }
    const fields: Record<string, unknown> = { ...engine }
    return {
      name: String(fields['name']),
      servingModes: strings(fields['servingModes']),
      gpuSupport: fields['gpuSupport'] === true,
      cpuSupport: fields['cpuSupport'] === true,
    }
  })
}

const strings = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])
const kindOf = (value: unknown): string => (value === null ? 'null' : typeof value)

/** Why a provider cannot run what is asked for; undefined where it can. */
export function incompatibility(
  provider: string,
  engines: readonly EngineCapability[],
  wanted: { engine: string | undefined; mode: string; gpu: boolean },
): string | undefined {
  const engine = engines.find(({ name }) => name === wanted.engine)
  if (!engine) return `provider ${provider} does not support engine ${wanted.engine ?? '(none)'}`
  if (!engine.servingModes.includes(wanted.mode)) {
    return `provider ${provider} does not support ${wanted.mode} mode for engine ${engine.name}`
  }
  if (wanted.gpu && !engine.gpuSupport) return `provider ${provider} does not support GPUs for engine ${engine.name}`
  if (!wanted.gpu && !engine.cpuSupport) return `provider ${provider} needs GPUs for engine ${engine.name}`
  return undefined
}
