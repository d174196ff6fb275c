/** What was measured, as a table in markdown. Pure. */
import type { Figures } from './one-run.ts'

export interface Round {
  /** by the contestant's name */
  figures: Map<string, Figures>
}

/** The middle one, or the mean of the two in the middle; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const [below, above] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]]
  return below === undefined || above === undefined ? Number.NaN : (below + above) / 2
}

/** Objects that were written, by the whole time of the command. */
export const rate = ({ written, process: { seconds } }: Figures): number => written / seconds

export const failed = ({ process: { code }, left }: Figures): boolean => code !== 0 || left > 0

type Column = [title: string, cell: (all: readonly Figures[], name: string, rounds: readonly Round[]) => string]

const number = (value: number | undefined, digits = 0): string =>
  value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits)

const middle = (all: readonly Figures[], value: (figures: Figures) => number | undefined, digits = 0): string =>
  number(median(all.map(value).filter((one) => one !== undefined)), digits)

const each = (all: readonly Figures[], value: (figures: Figures) => number | undefined, digits = 0): string =>
  all.map((figures) => number(value(figures), digits)).join(', ')

/** Its rate by that of another in the same round: what the machine was like in that minute falls out. */
function shareOf(other: string, name: string, rounds: readonly Round[]): string {
  const shares = rounds.flatMap(({ figures }) => {
    const [its, yardstick] = [figures.get(name), figures.get(other)]
    return its === undefined || yardstick === undefined ? [] : [rate(its) / rate(yardstick)]
  })
  return number(median(shares), 2)
}

const columns: Column[] = [
  ['contestant', (_, name) => name],
  ['obj/s', (all) => middle(all, rate)],
  ['runs', (all) => each(all, rate)],
  ['of bare', (_, name, rounds) => shareOf('bare', name, rounds)],
  ['wall s', (all) => middle(all, (one) => one.process.seconds, 1)],
  ['requests', (all) => middle(all, (one) => one.requests.all)],
  ['writes', (all) => middle(all, (one) => one.requests.writes)],
  ['client CPU ms/obj', (all) => middle(all, (one) => one.process.cpuMs / one.written, 2)],
  ['client MiB', (all) => middle(all, (one) => one.process.peakMib)],
  ['apiserver CPU ms/obj', (all) => middle(all, (one) => one.serverMs && one.serverMs / one.written, 1)],
  ['bystander p50 ms', (all) => middle(all, (one) => one.bystander?.p50, 1)],
  ['p99 ms', (all) => middle(all, (one) => one.bystander?.p99)],
  ['foreign cores', (all) => each(all, (one) => one.foreign, 2)],
  ['failed', (all) => `${all.filter(failed).length} of ${all.length}`],
]

/** Medians over the rounds, one row for each contestant. */
export function table(names: readonly string[], rounds: readonly Round[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const lines = names.map((name) => {
    const all = rounds.flatMap(({ figures }) => figures.get(name) ?? [])
    return row(columns.map(([, cell]) => cell(all, name, rounds)))
  })
  return [row(columns.map(([title]) => title)), row(columns.map(() => '---')), ...lines].join('\n')
}
