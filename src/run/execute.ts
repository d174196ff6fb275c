/**
 * Carries a plan out: steps in order, each with its intent written before and its result after. Whatever happens, the
 * journal says where the run stands: a run that is carried on skips what is done and repeats the step it stopped in.
 */
import type { Journal } from '../journal/journal.types.ts'
import { JournalLost, type OpenJournal } from '../journal/records.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { ridingOut } from '../kubernetes/outage.ts'
import { WaitTimeout } from '../kubernetes/wait.ts'
import type { Plan, Step, StepOf } from '../plan/plan.types.ts'
import type { Progress } from '../report/progress.ts'
import { carryOut } from '../steps/handlers.ts'
import { changedSince } from '../steps/roll-out.ts'
import { type Evidence, type StepContext, StepFailed } from '../steps/step.types.ts'
import { handedOver, runTeller, type TellPhase } from './events.ts'
import { toRepeat } from './repeat.ts'

export interface RunContext {
  client: KubernetesClient
  journal: OpenJournal
  /** aborts on Ctrl-C and when the lock is lost */
  signal: AbortSignal
  progress: Progress
  now(): Date
  /** a file that the back-up is written to as well */
  backupFile?: string
}

export interface StepResult {
  step: string
  title: string
  outcome: 'done' | 'skipped'
  evidence: Evidence
}

/** A step failed, or the run was interrupted; the journal is written. */
export class RunStopped extends Error {
  override readonly name = 'RunStopped'
  readonly step: Step
  readonly interrupted: boolean
  /** false where not even the stop could be written: the records may be gone */
  readonly recorded: boolean
  readonly results: StepResult[]

  constructor(
    step: Step,
    results: StepResult[],
    { interrupted, recorded, cause }: { interrupted: boolean; recorded: boolean; cause: unknown },
  ) {
    super(messageOf(cause), { cause })
    this.step = step
    this.results = results
    this.interrupted = interrupted
    this.recorded = recorded
  }
}

/** Runs all steps that are not done yet. Throws RunStopped, or JournalLost where another process has taken the run. */
export const execute = async (plan: Plan, context: RunContext): Promise<StepResult[]> => {
  const results: StepResult[] = []
  const earlier = evidenceOf(context.journal)
  for (const id of toRepeat(plan, new Set(earlier.keys()))) earlier.delete(id)
  const tell = runTeller(plan, { client: context.client, summary: () => context.journal.summary, now: context.now })
  await tell(context.journal.entries.length === 0 ? 'Started' : 'Resumed')
  for (const [index, step] of plan.steps.entries()) {
    const title = `[${index + 1}/${plan.steps.length}] ${step.title}`
    const known = earlier.get(step.id)
    if (known !== undefined) {
      results.push({ step: step.id, title: step.title, outcome: 'skipped', evidence: known })
      continue
    }
    const evidence = await runStep(step, title, results, {
      ...context,
      tell,
      rolledOut: plan.steps.slice(0, index).filter((each) => each.kind === 'roll-out'),
    })
    if (step.kind === 'await-lease') await tell('HandedOver', handedOver(step))
    results.push({ step: step.id, title: step.title, outcome: 'done', evidence })
  }
  await context.journal.settle({ state: 'succeeded', finishedAt: context.now().toISOString() })
  await tell('Finished')
  return results
}

/** What the steps that are done have seen. */
const evidenceOf = (journal: { readonly entries: readonly Journal['entries'][number][] }): Map<string, Evidence> =>
  new Map(journal.entries.flatMap(({ step, event, detail }) => (event === 'done' ? [[step, detail ?? {}]] : [])))

type Told = RunContext & { tell: TellPhase; rolledOut: StepOf<'roll-out'>[] }

const runStep = async (step: Step, title: string, results: StepResult[], context: Told): Promise<Evidence> => {
  const { journal, signal, now } = context
  const task = context.progress.task(title)
  const started = performance.now()
  const stepContext: StepContext = {
    client: context.client,
    run: journal.summary.number,
    signal,
    now,
    ...(context.backupFile === undefined ? {} : { backupFile: context.backupFile }),
    report: (text) => task.update(text),
    keep: async (name, value) => journal.keep(name, value),
    kept: async (name, options) => journal.kept(name, options),
  }
  try {
    signal.throwIfAborted()
    // A step and a write of the journal may have been done before, whole or in part: so they may be done again.
    const riding = async <T>(work: () => Promise<T>): Promise<T> => ridingOut(work, stepContext)
    const intent = { at: now().toISOString(), step: step.id, event: 'intent' } as const
    await riding(async () => journal.append(intent, { state: 'running' }))
    const evidence = await riding(async () => carryOut(step, stepContext))
    const done = { at: now().toISOString(), step: step.id, event: 'done', detail: evidence } as const
    // Its summary says it to whoever lists the runs: from here on nobody goes back.
    await riding(async () => journal.append(done, step.kind === 'flip-storage' ? { storageMoved: true } : undefined))
    task.done(`${title} (${Math.round((performance.now() - started) / 100) / 10} s)`)
    return evidence
  } catch (error) {
    const reason: unknown = signal.aborted ? signal.reason : await explained(error, stepContext, context.rolledOut)
    task.fail(messageOf(reason))
    if (reason instanceof JournalLost) throw reason
    const recorded = await recordStop(step, reason, context)
    await context.tell(signal.aborted ? 'Interrupted' : 'Failed', `${step.id}: ${messageOf(reason)}`)
    throw new RunStopped(step, results, { interrupted: signal.aborted, recorded, cause: reason })
  }
}

/** A state that was not reached may be the work of somebody who changed what an earlier step had rolled out. */
const explained = async (error: unknown, context: StepContext, rolledOut: StepOf<'roll-out'>[]): Promise<unknown> => {
  if (!(error instanceof StepFailed || error instanceof WaitTimeout)) return error
  const changed = await changedSince(rolledOut, context)
  return changed === undefined || error.message.includes(changed)
    ? error
    : new StepFailed(`${error.message} ${changed}`, { cause: error })
}

const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.name === 'AbortError' ? 'Interrupted by the user' : error.message
}

/** Writes why the run stopped, and whether that worked. Where the API server is gone, the open intent tells the same. */
const recordStop = async (step: Step, error: unknown, { journal, signal, now }: RunContext): Promise<boolean> => {
  const reason = messageOf(error)
  const event = signal.aborted ? 'interrupted' : 'failed'
  try {
    await journal.append(
      { at: now().toISOString(), step: step.id, event, detail: { reason } },
      { state: event, reason },
    )
    return true
  } catch {
    return false
  }
}
