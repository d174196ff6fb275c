import { setTimeout as delay } from 'node:timers/promises'
import { ApiError, isConflict } from '../../kubernetes/errors.ts'
import type { StandinContext } from './context.types.ts'
import type { InferenceProviderConfig } from './model-deployment.ts'
import { referenceTo } from './object-writes.ts'
import type { Traits } from './traits.ts'

const attempts = 5
const flags = ['gpuSupport', 'cpuSupport'] as const

/**
 * What a controller whose engines are objects does with configs of the version before: engines that are strings become
 * objects with the flags that stand beside them. It reads through its own CRD, so these are pruned already, and each engine
 * says false to everything; AI Runway v0.6.0 does so. A refused access ends the controller, everything else is logged.
 */
export async function migrateEngines(context: StandinContext, traits: Traits): Promise<void> {
  if (traits.engines === 'strings') return
  const { client, log, signal } = context
  const collection = { apiVersion: traits.apiVersion, kind: 'InferenceProviderConfig' }
  for (let attempt = 1; ; attempt++) {
    try {
      const configs = await client.list<InferenceProviderConfig>(collection, { signal })
      for (const config of configs) await migrate(context, { ...config, ...collection })
      return
    } catch (error) {
      if (signal.aborted || (error instanceof ApiError && error.code === 403)) throw error
      if (attempt === attempts) return log.error('failed to migrate InferenceProviderConfigs', error)
      await delay(1000 * 2 ** (attempt - 1), undefined, { signal })
    }
  }
}

async function migrate({ client, log, signal }: StandinContext, listed: InferenceProviderConfig): Promise<void> {
  for (let wanted = migrated(listed), attempt = 1; wanted !== undefined; attempt++) {
    try {
      await client.replace(wanted, { signal })
      return log.info('migrated InferenceProviderConfig', { name: listed.metadata.name })
    } catch (error) {
      if (error instanceof ApiError && error.code === 403) throw error
      if (!isConflict(error) || attempt === attempts)
        return log.error('failed to migrate', error, { name: listed.metadata.name })
      const live = await client.find<InferenceProviderConfig>(referenceTo(listed), signal)
      wanted = live && migrated(live)
    }
  }
}

/** The config with objects for engines; undefined where it has no other. Pure. */
export function migrated(config: InferenceProviderConfig): InferenceProviderConfig | undefined {
  const { engines = [], ...rest } = config.spec?.capabilities ?? {}
  if (!engines.some((engine) => typeof engine === 'string')) return undefined
  const { servingModes, gpuSupport, cpuSupport, ...others } = rest
  const beside: Record<string, unknown> = { gpuSupport, cpuSupport }
  const carried = {
    ...(servingModes === undefined ? {} : { servingModes }),
    ...Object.fromEntries(flags.map((flag) => [flag, beside[flag] === true])),
  }
  const objects = engines.map((engine) => (typeof engine === 'string' ? { name: engine, ...carried } : engine))
  return { ...config, spec: { ...config.spec, capabilities: { ...others, engines: objects } } }
}
