import { isConflict, isNotFound } from '../../kubernetes/errors.ts'
import type { AnyObject } from '../../kubernetes/objects.ts'
import type { ShimProgram } from '../programs.ts'
import type { StandinContext } from './context.types.ts'
import { statusPatch } from './controller-status.ts'
import { reconcileModelDeployments } from './deployment-queue.ts'
import { startInformer } from './informer.ts'
import { asTyped } from './known-fields.ts'
import { isPaused, type ModelDeployment, type ModelDeploymentStatus } from './model-deployment.ts'
import { reasonOf, referenceTo, writeStatus } from './object-writes.ts'
import { holds, modelService, renderProviderObject } from './provider-objects.ts'
import { registerProvider } from './registration.ts'
import { type Drained, runAsLeader } from './run-as-leader.ts'
import { shimStatus } from './shim-status.ts'
import { takingItsTime } from './slow-reconcile.ts'
import { type Traits, traitsOf } from './traits.ts'
import type { Requeue } from './work-queue.ts'

interface ShimContext extends StandinContext {
  program: ShimProgram
  traits: Traits
}

/** Stands for a provider shim: registers its provider, then renders the ModelDeployments of it. Gives the exit code. */
export async function runShim(context: StandinContext, program: ShimProgram): Promise<number> {
  const traits = traitsOf(program.product, program.version)
  let unregister: () => Promise<void> = async () => undefined
  const code = await runAsLeader(context, program.shim.lease, async (stop) => {
    unregister = await registerProvider({ ...context, signal: stop }, program, traits)
    return startReconciling({ ...context, signal: stop, program, traits })
  })
  // a clean exit says that nobody serves this provider; a crash cannot
  if (code === 0) await unregister()
  return code
}

function startReconciling(context: ShimContext): Drained {
  const { client, log, signal, traits, program } = context
  const { deployments, queue } = reconcileModelDeployments(context, traits, async (key) => {
    const object = deployments.get(key)
    return object && reconcile(context, object)
  })
  const labelSelector = `${program.product.group}/managed-by=airunway`
  startInformer<AnyObject>({
    client,
    collection: { ...program.shim.resource, labelSelector },
    log,
    signal,
    onEvent: (_, object) => {
      const owner = object.metadata.ownerReferences?.find(({ kind }) => kind === 'ModelDeployment')
      if (owner) queue.add(`${object.metadata.namespace}/${owner.name}`)
    },
  })
  return () => queue.idle()
}

async function reconcile(context: ShimContext, object: ModelDeployment): Promise<Requeue | undefined> {
  const { program, client, traits } = context
  // before the deletion: a paused ModelDeployment that is deleted hangs until it goes on
  if (isPaused(object, program.product.pausedAnnotation)) return undefined
  const finalizer = `${program.product.group}/${program.shim.name}-provider`
  const finalizers = object.metadata.finalizers ?? []
  if (object.metadata.deletionTimestamp) {
    return finalizers.includes(finalizer) ? finalize(context, object, finalizer) : undefined
  }
  if (object.status?.provider?.name !== program.shim.name) return undefined
  if (object.status.conditions?.some(({ type, status }) => type === 'Validated' && status === 'False')) return undefined
  if (!finalizers.includes(finalizer)) {
    await client.replace(withFinalizers(object, [...finalizers, finalizer], traits))
    return undefined
  }
  await takingItsTime(context, object, program.product.group, () => render(context, object))
  return reapplied(program.shim) ? { requeueAfterMilliseconds: reapplyMilliseconds } : undefined
}

const reapplyMilliseconds = 30_000

/** The shims that write plain Deployments and Services apply them again and again, whether something changed or not. */
export const reapplied = ({ resource }: ShimProgram['shim']): boolean => resource.kind === 'Deployment'

const withFinalizers = (object: ModelDeployment, finalizers: string[], traits: Traits): ModelDeployment => {
  const typed = asTyped(object, traits.knownFields)
  return { ...typed, metadata: { ...typed.metadata, finalizers } }
}

/** Deletes the provider's object, waits until it is gone, then gives the ModelDeployment free. */
async function finalize(
  context: ShimContext,
  object: ModelDeployment,
  finalizer: string,
): Promise<Requeue | undefined> {
  const { client, program, traits } = context
  const ref = { ...program.shim.resource, ...nameOf(object) }
  const existing = await client.find(ref)
  if (existing?.metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid)) {
    if (!existing.metadata.deletionTimestamp) await client.delete(ref, { propagationPolicy: 'Background' })
    return { requeueAfterMilliseconds: 200 }
  }
  const rest = (object.metadata.finalizers ?? []).filter((name) => name !== finalizer)
  await client.replace(withFinalizers(object, rest, traits)).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
  return undefined
}

const nameOf = ({ metadata }: ModelDeployment): { name: string; namespace?: string } => ({
  name: metadata.name,
  ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
})

async function render(context: ShimContext, object: ModelDeployment): Promise<void> {
  const { program } = context
  const { group } = program.product
  const input = { object, version: program.version, group, resource: program.shim.resource }
  const write = (after: ModelDeploymentStatus): Promise<void> =>
    writeStatus(context, object, statusPatch(object.status, after))
  const wanted = renderProviderObject(input)
  const current = await ensureProviderObject(context, wanted, object.metadata.uid ?? '').catch(
    async (error: unknown) => {
      // a conflict is no failure of the provider: tried again with the newer object
      if (!isConflict(error)) await write(shimStatus(object, { failed: reasonOf(error) }, new Date()))
      throw error
    },
  )
  await write(shimStatus(object, current, new Date()))
}

async function ensureProviderObject(
  { client, program }: ShimContext,
  wanted: AnyObject,
  ownerUid: string,
): Promise<AnyObject> {
  const existing = await client.find(referenceTo(wanted))
  if (existing && !existing.metadata.ownerReferences?.some(({ uid }) => uid === ownerUid)) {
    throw new Error(`ResourceConflict: ${wanted.kind} "${wanted.metadata.name}" belongs to something else`)
  }
  if (reapplied(program.shim)) {
    const options = { fieldManager: `${program.shim.name}-provider`, force: true }
    await client.apply(modelService(wanted), options)
    return client.apply(wanted, options)
  }
  if (!existing) return client.create(wanted)
  const { apiVersion: _, kind: __, metadata: ___, ...content } = wanted
  if (holds(existing, content)) return existing
  return client.replace({ ...existing, ...content })
}
