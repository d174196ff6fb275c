/** What a shim makes of a ModelDeployment's status. Pure. */
import type { AnyObject, Condition } from '../../kubernetes/objects.ts'
import { type ModelDeployment, type ModelDeploymentStatus, withCondition } from './model-deployment.ts'
import { providerProgress } from './provider-objects.ts'

/** The status the shim wants, from the provider's object, or from why it could not be written. */
export function shimStatus(
  object: ModelDeployment,
  outcome: AnyObject | { failed: string },
  now: Date,
): ModelDeploymentStatus {
  const before = object.status ?? {}
  const observedGeneration = object.metadata.generation ?? 0
  const condition = (type: string, good: boolean, reason: string, message: string): void => {
    const status = good ? 'True' : 'False'
    conditions = withCondition(conditions, { type, status, reason, message, observedGeneration }, now)
  }
  let conditions: Condition[] = before.conditions ?? []
  if (!isObject(outcome)) {
    condition('ResourceCreated', false, 'CreateFailed', outcome.failed)
    condition('Ready', false, 'CreateFailed', outcome.failed)
    return { ...before, phase: 'Failed', message: outcome.failed, conditions }
  }
  const { ready, message } = providerProgress(outcome)
  const desired = object.spec.scaling?.replicas ?? 1
  condition('ResourceCreated', true, 'Created', `${outcome.kind} ${outcome.metadata.name} exists`)
  condition('Ready', ready, ready ? 'Ready' : 'Waiting', message)
  return {
    ...before,
    phase: ready ? 'Running' : 'Deploying',
    message,
    provider: { ...before.provider, resourceKind: outcome.kind, resourceName: outcome.metadata.name },
    replicas: { desired, ready: ready ? desired : 0, available: ready ? desired : 0 },
    endpoint: { service: object.metadata.name, port: 8000 },
    conditions,
  }
}

const isObject = (outcome: AnyObject | { failed: string }): outcome is AnyObject => 'metadata' in outcome
