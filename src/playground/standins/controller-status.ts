/** What the controller makes of a ModelDeployment's status. Pure. */
import { isDeepStrictEqual } from 'node:util'
import type { Condition } from '../../kubernetes/objects.ts'
import {
  type EngineCapability,
  gpuCount,
  type ModelDeployment,
  type ModelDeploymentStatus,
  withCondition,
} from './model-deployment.ts'
import { incompatibility } from './provider-config.ts'

/** A registered provider as the controller knows it. */
export interface RegisteredProvider {
  name: string
  ready: boolean
  engines: EngineCapability[]
}

/**
 * The status the controller wants: provider chosen and checked, generation observed. The phase is its own only where
 * something is wrong (Failed, Pending); Deploying and Running come from the provider's shim and are left alone.
 */
export function controllerStatus(
  object: ModelDeployment,
  providers: readonly RegisteredProvider[],
  now: Date,
): ModelDeploymentStatus {
  const before = object.status ?? {}
  const generation = object.metadata.generation ?? 0
  const wanted = {
    engine: object.spec.engine?.type,
    mode: object.spec.serving?.mode ?? 'aggregated',
    gpu: gpuCount(object.spec) > 0,
  }
  const choice = chooseProvider(object, providers, wanted)
  const provider = providers.find(({ name }) => name === choice?.name)
  const problem = provider ? incompatibility(provider.name, provider.engines, wanted) : undefined
  const condition = (type: string, good: boolean, reason: string, message: string): void => {
    const status = good ? 'True' : 'False'
    conditions = withCondition(conditions, { type, status, reason, message, observedGeneration: generation }, now)
  }
  let conditions: Condition[] = before.conditions ?? []
  condition('Validated', !problem, problem ? 'Incompatible' : 'Valid', problem ?? 'the spec is valid')
  if (choice) condition('ProviderSelected', true, 'Selected', choice.reason)
  else condition('ProviderSelected', false, 'NoProvider', 'no ready provider can run this')
  const known = provider ? `provider ${provider.name} is registered` : 'the provider is not registered'
  condition('ProviderCompatible', !!provider && !problem, provider ? 'Checked' : 'NotRegistered', problem ?? known)
  return {
    ...before,
    ...phaseOf(before, problem, !!provider),
    observedGeneration: generation,
    ...(wanted.engine ? { engine: { ...before.engine, type: wanted.engine } } : {}),
    ...(choice ? { provider: { ...before.provider, name: choice.name, selectedReason: choice.reason } } : {}),
    conditions,
  }
}

function chooseProvider(
  object: ModelDeployment,
  providers: readonly RegisteredProvider[],
  wanted: { engine: string | undefined; mode: string; gpu: boolean },
): { name: string; reason: string } | undefined {
  const named = object.spec.provider?.name
  if (named) return { name: named, reason: 'explicit provider selection' }
  const pinned = object.status?.provider?.name
  if (pinned) return { name: pinned, reason: object.status?.provider?.selectedReason ?? 'selected before' }
  const able = providers.find(({ name, ready, engines }) => ready && !incompatibility(name, engines, wanted))
  return able && { name: able.name, reason: `${able.name} can run it` }
}

function phaseOf(
  before: ModelDeploymentStatus,
  problem: string | undefined,
  registered: boolean,
): { phase: string; message?: string } {
  if (problem) return { phase: 'Failed', message: problem }
  const refused = before.conditions?.find(({ type }) => type === 'Validated')?.status === 'False'
  if (before.phase && !refused) return { phase: before.phase }
  return { phase: 'Pending', message: registered ? 'waiting for the provider' : 'waiting for a provider to register' }
}

/** The merge patch that makes a status into another one; undefined where they are the same. */
export function statusPatch(
  before: ModelDeploymentStatus | undefined,
  after: ModelDeploymentStatus,
): ModelDeploymentStatus | undefined {
  const changed = Object.entries(after).filter(([key, value]) => !isDeepStrictEqual(before?.[key], value))
  return changed.length > 0 ? Object.fromEntries(changed) : undefined
}
