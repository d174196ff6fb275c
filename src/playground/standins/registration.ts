import { setTimeout as delay } from 'node:timers/promises'
import type { ObjectReference } from '../../kubernetes/objects.ts'
import type { ShimProgram } from '../programs.ts'
import type { StandinContext } from './context.types.ts'
import type { InferenceProviderConfig } from './model-deployment.ts'
import { decodeEngines, registeredSpec } from './provider-config.ts'
import type { Traits } from './traits.ts'

const heartbeatMilliseconds = 60_000
const firstRetryMilliseconds = 800
const longestRetryMilliseconds = 30_000

/**
 * Registers a shim's provider: creates its InferenceProviderConfig or overwrites the spec of the one that is there (the
 * last shim to start wins), then writes a heartbeat into its status every minute. A refused registration is an ApiError
 * and ends the shim; a refused heartbeat is only logged. Gives a function that says `ready: false`.
 * While any provider's config does not decode, it waits, for its cache never gets complete; its pod is ready all the same.
 */
export async function registerProvider(
  context: StandinContext,
  { shim, version, product }: ShimProgram,
  traits: Traits,
): Promise<() => Promise<void>> {
  const { client, log, signal } = context
  const kind = 'InferenceProviderConfig'
  const ref: ObjectReference = { apiVersion: traits.apiVersion, kind, name: shim.providerConfig }
  const spec = registeredSpec(shim.name, traits.engines)
  await everythingDecodes(context, ref, traits)
  const existing = await client.find<InferenceProviderConfig>(ref, signal)
  if (existing) await client.replace({ ...existing, spec }, { signal })
  else await client.create({ apiVersion: ref.apiVersion, kind, metadata: { name: ref.name }, spec }, { signal })
  const report = async (ready: boolean): Promise<void> => {
    const status = {
      ready,
      // the releases of airunway.ai up to v0.7.0 report this constant, whatever they are
      version: `${shim.name}-provider:${product.group === 'airunway.ai' ? 'v0.1.0' : `v${version}`}`,
      lastHeartbeat: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      upstreamCRDVersion: shim.resource.apiVersion,
    }
    await client.patch(ref, { status }, { type: 'merge', subresource: 'status' })
  }
  const heartbeat = (): void => {
    report(true).catch((error: unknown) => log.error('failed to update heartbeat', error, { provider: shim.name }))
  }
  await report(true)
  const timer = setInterval(heartbeat, heartbeatMilliseconds)
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  return () =>
    report(false).catch((error: unknown) => log.error('failed to unregister', error, { provider: shim.name }))
}

/** As client-go's reflector goes about it: logged, and tried again for ever, from 800 ms up to 30 s apart. */
async function everythingDecodes(
  { client, log, signal }: StandinContext,
  { apiVersion, kind }: ObjectReference,
  { engines }: Traits,
): Promise<void> {
  for (let pause = firstRetryMilliseconds; ; pause = Math.min(pause * 2, longestRetryMilliseconds)) {
    try {
      const configs = await client.list<InferenceProviderConfig>({ apiVersion, kind }, { signal })
      for (const config of configs) decodeEngines(config, engines)
      return
    } catch (error) {
      signal.throwIfAborted()
      log.error('Failed to watch', error, { type: `${apiVersion}, Kind=${kind}` })
      await delay(pause, undefined, { signal })
    }
  }
}
