/** Plans, runs and their history as one screen each. */
import type { RunSummary } from '../journal/journal.types.ts'
import type { Finding } from '../preflight/finding.types.ts'
import type { HistoryReport } from '../services/history.ts'
import type { ClosedRun, NothingToDo, PlanReport, RunReport } from '../services/run-report.types.ts'
import { sizeOf } from './human-export.ts'
import { migratedLines } from './human-migration.ts'
import { paint, sign, type TextStyle, wrap } from './style.ts'

const arrow = (style: TextStyle): string => (style.unicode ? '→' : '->')

const hop = ({ product, from, to }: { product: string; from: string; to: string }, style: TextStyle): string =>
  `${product} ${from} ${arrow(style)} ${to}`

const clusterLine = ({ cluster }: PlanReport['metadata']): string =>
  `cluster  ${cluster.context === undefined ? cluster.server : `${cluster.context} (${cluster.server})`}`

const listed = (mark: string, text: string, style: TextStyle): string[] => {
  const [first = '', ...rest] = wrap(style, '    ', text)
  return [`  ${mark} ${first.trimStart()}`, ...rest]
}

const findingLines = (findings: readonly Finding[] | undefined, style: TextStyle): string[] =>
  (findings ?? []).flatMap((finding) => {
    const mark = sign(style, finding.severity)
    return listed(mark, `${finding.id}: ${finding.title}`, style)
  })

/** Said before and after: a way back that is not there must not be a surprise. */
const noWayBack = ({ wayBack }: { wayBack: PlanReport['plan']['wayBack'] }, style: TextStyle): string[] =>
  wayBack.possible ? [] : listed(sign(style, 'warning'), `There is no way back by \`rollback\`: ${wayBack.why}.`, style)

/** Which way each component goes and why, those that go alike together. */
const tierLines = (components: PlanReport['plan']['components'], style: TextStyle): string[] => {
  const alike = new Map<string, string[]>()
  for (const { component, tier, why } of components) {
    const way = `${tier} (${why})`
    alike.set(way, [...(alike.get(way) ?? []), component])
  }
  return [...alike].flatMap(([way, names], index) => {
    const [first = '', ...rest] = wrap(style, ' '.repeat(9), `${names.join(', ')}: ${way}`)
    return [`${(index === 0 ? 'tier' : '').padEnd(9)}${first.trimStart()}`, ...rest]
  })
}

/** The steps in order, then what the operator has to know before saying yes. */
export const renderPlan = ({ plan, metadata, findings, records }: PlanReport, style: TextStyle): string => {
  const width = Math.max(...plan.steps.map(({ title }) => title.length))
  const room = style.width - width - 8
  const steps = plan.steps.map(({ title, description }, index) => {
    const text =
      description.length > room
        ? `${description.slice(0, Math.max(0, room - 1))}${style.unicode ? '…' : '~'}`
        : description
    return `  ${String(index + 1).padStart(2)}  ${title.padEnd(width)}  ${paint(style, 'dim', text)}`
  })
  return `${[
    paint(style, 'bold', `${plan.kind} ${hop(plan, style)}, ${plan.tier}`),
    clusterLine(metadata),
    `source   ${plan.source}`,
    `plan     ${plan.hash}`,
    ...tierLines(plan.components, style),
    ...(records === undefined
      ? []
      : [`records  about ${sizeOf(records.bytes)}: a back-up of ${records.objects} objects`]),
    '',
    ...steps,
    '',
    ...plan.notes.flatMap((note) => listed(style.unicode ? '•' : '*', note, style)),
    ...(plan.kind === 'upgrade' ? noWayBack(plan, style) : []),
    ...findingLines(findings, style),
  ].join('\n')}\n`
}

const summaryLine = (report: RunReport, style: TextStyle): string => {
  const { children, disturbed, compared } = report.workloads
  if (!compared) return `${sign(style, 'warning')} The workloads could not be compared with before.`
  if (disturbed > 0)
    return `${sign(style, 'warning')} ${disturbed} of ${children} provider objects and pods are not as they were:`
  return `${sign(style, 'passed')} All ${children} provider objects and pods are as they were: same uid, no restart, unchanged.`
}

/** What the reconcile proofs have seen last, of the controller and of each shim. */
const proofLines = (report: RunReport, style: TextStyle): string[] =>
  [...new Map(report.steps.map((step) => [step.title, step])).values()].flatMap(({ title, evidence }) => {
    const { reconciled, paused, terminating, seconds, slowest } = evidence as Record<string, number | undefined> & {
      slowest?: { name: string; seconds: number }
    }
    if (reconciled === undefined) return []
    const left = [
      ...(paused ? [`${paused} paused`] : []),
      ...(terminating ? [`${terminating} being deleted`] : []),
    ].join(', ')
    const slow = slowest?.name ? `; slowest ${slowest.name} ${slowest.seconds} s` : ''
    return [
      `${sign(style, 'passed')} ${title}: ${reconciled} in ${seconds} s${slow}${left === '' ? '' : `; left alone: ${left}`}`,
    ]
  })

/** How long what was interrupted was interrupted, to a second or so: a component that changed hands twice is told once, by the longer time. */
const measuredLines = ({ measured }: RunReport, style: TextStyle): string[] =>
  [...Map.groupBy(measured, ({ what }) => what)].map(([what, times]) => {
    const longest = Math.max(...times.map(({ seconds }) => seconds))
    return `${sign(style, 'info')} ${what} for about ${longest} s${times.length > 1 ? `, ${times.length} times` : ''}`
  })

/** What was done, and the proof that nothing was disturbed. */
export const renderRun = (report: RunReport, style: TextStyle): string => {
  const { run } = report
  const kept = report.steps.flatMap(({ evidence }) => (evidence['kept'] as string[] | undefined) ?? [])
  const back = run.kind === 'upgrade' && report.wayBack.possible ? ', or go back with  kubectl airunway rollback' : ''
  const isLeft = report.heldStorage !== undefined || report.notMigrated !== undefined
  const next = isLeft ? 'kubectl airunway migrate' : 'kubectl airunway preflight'
  const taken = report.steps.flatMap(({ evidence }) => (evidence['taken'] as string[] | undefined) ?? [])
  return `${[
    paint(style, 'bold', `${run.kind} ${hop(run, style)}: done in ${report.seconds} s`),
    clusterLine(report.metadata),
    `run      ${run.number}, recorded in namespace ${report.metadata.recordNamespace}`,
    '',
    `${sign(style, 'passed')} ${report.steps.length} steps, each verified`,
    ...proofLines(report, style),
    summaryLine(report, style),
    ...report.workloads.changes.map((change) => `    ${change}`),
    ...measuredLines(report, style),
    ...(report.migrated ?? []).flatMap((each) => migratedLines(each, style)),
    ...heldLines(report, style),
    ...notMigratedLines(report, style),
    ...kept.map((field) => `${sign(style, 'info')} left to its owner: ${field}`),
    ...taken.map((field) => `${sign(style, 'info')} taken from its owner: ${field}`),
    ...(run.kind === 'upgrade' ? noWayBack(report, style) : []),
    ...(report.findings ?? [])
      .filter(({ severity }) => severity !== 'error')
      .map((finding) => `${sign(style, finding.severity)} ${finding.id}: ${finding.title}`),
    '',
    `Next: ${next}${back}`,
  ].join('\n')}\n`
}

/** What is left to do, and what that means for going back. */
const heldLines = ({ heldStorage = {}, run, wayBack }: RunReport, style: TextStyle): string[] => {
  const held = Object.entries(heldStorage).map(([name, version]) => `${name} (${version})`)
  if (held.length === 0) return []
  const across = wayBack.possible ? `; from then on there is no rollback to ${run.from}` : ''
  const [first = '', ...rest] = wrap(
    style,
    '  ',
    `Stored objects have not moved to the version of ${run.to}: ${held.join(', ')}. kubectl airunway migrate moves them${across}.`,
  )
  return [`${sign(style, 'info')} ${first.trimStart()}`, ...rest]
}

/** What was to be migrated by the run and was not, for whoever ended it asked for that. */
const notMigratedLines = ({ notMigrated = [], run }: RunReport, style: TextStyle): string[] => {
  if (notMigrated.length === 0) return []
  const text = `Objects may still be stored in a version before that of ${run.to}: ${notMigrated.join(', ')}. kubectl airunway migrate moves them.`
  const [first = '', ...rest] = wrap(style, '  ', text)
  return [`${sign(style, 'info')} ${first.trimStart()}`, ...rest]
}

const stateOf = (run: RunSummary, style: TextStyle): string => {
  const signs = {
    succeeded: 'passed',
    failed: 'error',
    interrupted: 'warning',
    running: 'info',
    superseded: 'skipped',
  } as const
  return `${sign(style, signs[run.state])} ${run.state}`
}

/** An upgrade that has not ended; a migration is never gone back from, and can be closed at any time. */
const isAcross = ({ kind, state, storageMoved }: RunSummary): boolean =>
  storageMoved === true && kind === 'upgrade' && ['running', 'failed', 'interrupted'].includes(state)

const HISTORY_LIMIT = 20
const ACROSS = 'a storage version has moved: it can be gone on with, and not gone back from'

/** One line a run, newest first; a single run with the entries of its journal. */
export const renderHistory = ({ runs, entries, metadata }: HistoryReport, style: TextStyle): string => {
  if (runs.length === 0) return `No runs are recorded in the namespace ${metadata.recordNamespace}.\n`
  const lines = runs
    .slice(0, HISTORY_LIMIT)
    .flatMap((run) => [
      [
        String(run.number).padStart(4),
        run.kind.padEnd(9),
        hop(run, style).padEnd(36),
        run.startedAt.slice(0, 19).concat('Z'),
        stateOf(run, style),
        run.by,
      ].join('  '),
      ...(run.reason === undefined ? [] : [`      ${run.reason}`]),
      ...(isAcross(run) ? [`      ${ACROSS}`] : []),
    ])
  const journal = (entries ?? []).map(({ at, step, event, detail }) => {
    const seen = event === 'intent' || detail === undefined ? '' : `  ${JSON.stringify(detail)}`
    return `      ${at.slice(11, 19)}  ${step.padEnd(22)}  ${event}${paint(style, 'dim', seen)}`
  })
  const head = ` RUN  ${'KIND'.padEnd(9)}  ${'VERSIONS'.padEnd(36)}  ${'STARTED'.padEnd(20)}  STATE, BY`
  return `${[head, ...lines, ...journal].join('\n')}\n`
}

/** An abort of a run that had not changed anything. */
export const renderClosedRun = ({ run, closed, stays, next }: ClosedRun, style: TextStyle): string => {
  const again =
    next?.endsWith('--dry-run') === true ? ' (what else there is)' : ' (begins anew; what is rewritten is found so)'
  if (stays !== undefined)
    return `${[
      `${sign(style, 'passed')} Run ${run.number} (migration of ${run.product}) ${closed ? 'is closed' : 'would be closed'}; nothing is taken back.`,
      ...stays.flatMap((each) => listed(sign(style, 'info'), each, style)),
      ...(next === undefined ? [] : [`Next: ${next}${again}`]),
    ].join('\n')}\n`
  const told = `${sign(style, 'passed')} Run ${run.number} (${hop(run, style)}) stopped before it changed anything`
  return closed
    ? `${told}; it is closed now. ${run.from} runs as before.\n`
    : `${told}; it would just be closed. ${run.from} runs as before.\n`
}

/** Asked for the version that runs already. */
export const renderNothingToDo = ({ product, version, toMigrate = [] }: NothingToDo, style: TextStyle): string => {
  const runs = `${sign(style, 'passed')} ${product} ${version} is what runs; there is nothing to do.\n`
  if (toMigrate.length === 0) return runs
  const left = `Objects are not all stored as it stores them: ${toMigrate.join(', ')}.`
  return `${runs}${[...listed(sign(style, 'info'), left, style), 'Next: kubectl airunway migrate'].join('\n')}\n`
}
