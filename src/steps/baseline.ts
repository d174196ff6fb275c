/** Notes the workloads' children before the first change, and compares them after the last. */
import { failedSince, type Phase, readPhases } from '../gates/phases.ts'
import { type Baseline, compareBaseline, takeBaseline } from '../gates/undisturbed.ts'
import type { Deployment } from '../kubernetes/objects.ts'
import { waitFor } from '../kubernetes/wait.ts'
import type { StepOf, WorkloadTarget } from '../plan/plan.types.ts'
import { type StepContext, StepFailed, type StepHandler } from './step.types.ts'

const BASELINE = 'baseline'
const PHASES = 'phases'
/** A provider may say Failed for a moment when its shim starts anew. */
const PHASES_SECONDS = 60
/** A pod that was evicted or restarted just now is back by then. */
const AVAILABLE_SECONDS = 60
/** More than this is counted, not listed: a journal must fit one Secret. */
const LISTED = 50
const LISTED_FAILED = 5

export const noteBaseline: StepHandler<'take-baseline'> = async (step, context) => {
  const existing = await context.kept<Baseline>(BASELINE)
  const baseline = existing ?? (await takeBaseline(context.client, step.workloads, context.signal))
  if (existing === undefined) await context.keep(BASELINE, baseline)
  if ((await context.kept<Phase[]>(PHASES)) === undefined)
    await context.keep(PHASES, await readPhases(context.client, step.workloads, context.signal))
  return { children: baseline.children.length }
}

export const compareWithBaseline: StepHandler<'compare-baseline'> = async (step, context) => {
  for (const { deployment, container, image } of step.images) {
    const live = await context.client.get<Deployment>(deployment, context.signal)
    const running = live.spec.template.spec.containers.find((each) => each.name === container)?.image
    if (running !== image)
      throw new StepFailed(
        `${deployment.name} runs ${running ?? 'nothing'} instead of ${image}: somebody changed it meanwhile.`,
      )
  }
  await allAvailable(step.images, context)
  await noneHasFailed(step.workloads, context)
  const before = await context.kept<Baseline>(BASELINE)
  if (before === undefined) return { compared: false }
  const changes = compareBaseline(before, await takeBaseline(context.client, step.workloads, context.signal))
  return {
    compared: true,
    children: before.children.length,
    disturbed: changes.length,
    changes: changes.slice(0, LISTED).map((change) => `${change.child} ${change.what}`),
  }
}

/** A controller that was proven early in a run may have begun to crash while the shims moved. */
const allAvailable = async (images: StepOf<'compare-baseline'>['images'], context: StepContext): Promise<void> => {
  await waitFor(
    async () => {
      for (const { deployment } of images) {
        const { spec, status = {} } = await context.client.get<Deployment>(deployment, context.signal)
        const [wanted, available] = [spec.replicas ?? 1, status.availableReplicas ?? 0]
        if (available < wanted) return { done: false, seen: `${deployment.name} has ${available} of ${wanted} pods` }
      }
      return { done: true, value: undefined }
    },
    {
      what: 'All pods at work at the end',
      timeoutSeconds: AVAILABLE_SECONDS,
      signal: context.signal,
      onChange: context.report,
    },
  )
}

/** A run whose records are older has no phases to compare. */
const noneHasFailed = async (workloads: WorkloadTarget, context: StepContext): Promise<void> => {
  const before = await context.kept<Phase[]>(PHASES)
  if (before === undefined) return
  await waitFor(
    async () => {
      const failed = failedSince(before, await readPhases(context.client, workloads, context.signal))
      const shown = failed.slice(0, LISTED_FAILED).join(', ')
      return failed.length === 0
        ? { done: true, value: undefined }
        : { done: false, seen: `Failed, and was not before: ${shown}${failed.length > LISTED_FAILED ? ', ...' : ''}` }
    },
    {
      what: `Every ${workloads.kind} as well as before`,
      timeoutSeconds: PHASES_SECONDS,
      signal: context.signal,
      onChange: context.report,
    },
  )
}
