/** The status as one screen: what runs, what was begun, what is left. */
import type { ComponentStatus, StatusReport } from '../status/status.types.ts'
import { paint, type Sign, sign, type TextStyle, wrap } from './style.ts'

/** Gives the whole text, ending with a newline. */
export const renderStatus = (report: StatusReport, style: TextStyle): string =>
  `${[
    ...components(report.components, style),
    '',
    labelled('run', runText(report, style), style),
    labelled('lock', lockText(report), style),
    labelled(
      'back',
      report.rollback.possible ? `rollback to ${report.rollback.to} is possible` : report.rollback.why,
      style,
    ),
    ...report.leftovers.flatMap(({ object, what }) => marked('warning', `${object} ${what}`, style)),
    ...report.unreadable.flatMap(({ what, why }) => marked('unknown', `not known: ${what} (${why})`, style)),
    ...report.waysOn.map((way, index) => `${index === 0 ? 'Next: ' : '      '}${way}`),
  ].join('\n')}\n`

const HEAD = ['COMPONENT', 'VERSION', 'READY', 'DEPLOYMENT', 'STATE']

const components = (all: ComponentStatus[], style: TextStyle): string[] => {
  if (all.length === 0) return [`${sign(style, 'unknown')} No AI Runway was found here.`]
  const rows = [HEAD, ...all.map((each) => cells(each))]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row, index) => {
    const line = row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
    return index === 0 ? paint(style, 'bold', line) : line
  })
}

const cells = (each: ComponentStatus): string[] => [
  each.component,
  each.version ?? 'unknown',
  `${each.readyReplicas}/${each.replicas}`,
  `${each.deployment.namespace}/${each.deployment.name}`,
  [...stateOf(each), ...(each.tier === undefined ? [] : [`last moved by ${each.tier}`])].join(', '),
]

const stateOf = ({ lease, ready, component }: ComponentStatus): string[] => {
  if (component !== 'controller') return ready === undefined ? [] : [ready ? 'ready' : 'provider config not ready']
  if (lease?.holder === undefined) return ['nobody holds its Lease']
  return [`${lease.fresh ? 'Lease held by' : 'Lease not renewed by'} ${lease.holder.split('_')[0] ?? lease.holder}`]
}

const runText = (report: StatusReport, style: TextStyle): string => {
  const { lastRun, unfinished } = report
  if (lastRun === undefined) return report.unknown?.includes('lastRun') === true ? 'not known' : 'none is recorded'
  const { number, kind, from, to, state, reason, by } = lastRun
  const arrow = style.unicode ? '→' : '->'
  const words = state === 'running' ? runningText(report) : state
  const tail = reason === undefined ? '' : `: ${reason}`
  return `${number} (${kind} ${from} ${arrow} ${to}, by ${by}) ${words}${tail}${unfinished && state !== 'running' ? '; it is unfinished' : ''}`
}

const runningText = ({ lock, unknown }: StatusReport): string => {
  if (lock !== undefined) return 'is being carried out'
  return unknown?.includes('lock') === true
    ? 'is being carried out, or stopped without a word'
    : 'stopped without a word'
}

const lockText = ({ lock, unknown }: StatusReport): string => {
  if (lock === undefined) return unknown?.includes('lock') === true ? 'not known' : 'free'
  return `held by ${lock.holder}${lock.since === undefined ? '' : ` since ${lock.since}`}`
}

const labelled = (label: string, text: string, style: TextStyle): string => {
  const [first = '', ...rest] = wrap(style, ' '.repeat(9), text)
  return [`${paint(style, 'dim', label.padEnd(9))}${first.trimStart()}`, ...rest].join('\n')
}

const marked = (mark: Sign, text: string, style: TextStyle): string[] => {
  const [first = '', ...rest] = wrap(style, '   ', text)
  return [`${sign(style, mark)} ${first.trimStart()}`, ...rest]
}
