/** Notes the workloads' children before the first change, and compares them after the last. */
import { type Baseline, compareBaseline, takeBaseline } from '../gates/undisturbed.ts'
import type { Deployment } from '../kubernetes/objects.ts'
import { StepFailed, type StepHandler } from './step.types.ts'

const BASELINE = 'baseline'
/** More than this is counted, not listed: a journal must fit one Secret. */
const LISTED = 50

export const noteBaseline: StepHandler<'take-baseline'> = async (step, context) => {
  const existing = await context.kept<Baseline>(BASELINE)
  const baseline = existing ?? (await takeBaseline(context.client, step.workloads, context.signal))
  if (existing === undefined) await context.keep(BASELINE, baseline)
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
