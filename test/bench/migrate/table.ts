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

/** Objects that were written, by the time from the start of the process to the last of them. */
export const rate = ({ written, passes, process: { seconds } }: Figures): number =>
  written / (passes?.secondsToLastObject ?? seconds)

/** Without the time in which only writes from before the flip are waited for. */
const wholeSeconds = ({ passes, process: { seconds } }: Figures): number => seconds - (passes?.secondsSettling ?? 0)

const rewriteRate = ({ passes }: Figures): number | undefined =>
  passes && passes.rewrite.objects / passes.rewrite.seconds

/** In no pass: definitions, rights, dry runs, trim. */
const besides = ({ passes, requests }: Figures): number | undefined => passes && requests.all - passes.requests

const proofRate = ({ passes }: Figures): number | undefined =>
  passes?.proof && passes.proof.objects / passes.proof.seconds

export const failed = ({ process: { code }, left }: Figures): boolean => code !== 0 || left > 0

type Column = [title: string, cell: (all: readonly Figures[], name: string, rounds: readonly Round[]) => string]

const number = (value: number | undefined, digits = 0): string =>
  value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits)

const middle = (all: readonly Figures[], value: (figures: Figures) => number | undefined, digits = 0): string =>
  number(median(all.map(value).filter((one) => one !== undefined)), digits)

const each = (all: readonly Figures[], value: (figures: Figures) => number | undefined, digits = 0): string =>
  all.map((figures) => number(value(figures), digits)).join(', ')

/** Its value by that of the yardstick in the same round: what the machine was like in that minute falls out. */
const ofBare =
  (value: (figures: Figures) => number | undefined): Column[1] =>
  (_, name, rounds) => {
    const shares = rounds.flatMap(({ figures }) => {
      const [its, yardstick] = [figures.get(name), figures.get('bare')].map((one) => one && value(one))
      return its === undefined || yardstick === undefined ? [] : [its / yardstick]
    })
    return number(median(shares), 2)
  }

const columns: Column[] = [
  ['contestant', (_, name) => name],
  ['obj/s', (all) => middle(all, rate)],
  ['runs', (all) => each(all, rate)],
  ['of bare', ofBare(rate)],
  ['wall s', (all) => middle(all, (one) => one.process.seconds, 1)],
  ['requests', (all) => middle(all, (one) => one.requests.all)],
  ['writes', (all) => middle(all, (one) => one.requests.writes)],
  ['429', (all) => each(all, (one) => one.requests.throttled)],
  ['client CPU ms/obj', (all) => middle(all, (one) => one.process.cpuMs / one.written, 2)],
  ['client MiB', (all) => middle(all, (one) => one.process.peakMib)],
  ['apiserver CPU ms/obj', (all) => middle(all, (one) => one.serverMs && one.serverMs / one.written, 1)],
  ['bystander p50 ms', (all) => middle(all, (one) => one.bystander?.p50, 1)],
  ['p99 ms', (all) => middle(all, (one) => one.bystander?.p99)],
  ['of bare', ofBare((one) => one.bystander?.p99)],
  ['foreign cores', (all) => each(all, (one) => one.foreign, 2)],
  ['failed', (all) => `${all.filter(failed).length} of ${all.length}`],
]

const passColumns: Column[] = [
  ['contestant', (_, name) => name],
  ['rewrite obj/s', (all) => middle(all, rewriteRate)],
  ['of bare', ofBare(rewriteRate)],
  ['requests', (all) => middle(all, ({ passes }) => passes?.rewrite.requests)],
  ['proof obj/s', (all) => middle(all, proofRate)],
  ['of bare', ofBare(proofRate)],
  ['requests', (all) => middle(all, ({ passes }) => passes?.proof?.requests)],
  ['requests besides', (all) => middle(all, besides)],
  ['whole s', (all) => middle(all, wholeSeconds, 1)],
  ['of bare', ofBare(wholeSeconds)],
  ['in flight', (all) => each(all, ({ passes }) => passes?.mostInFlight)],
]

/** Medians over the rounds, one row for each contestant. */
export const table = (names: readonly string[], rounds: readonly Round[]): string => rows(columns, names, rounds)

/** What they say of their passes, as `table`; who says nothing is left out. */
export const passesTable = (names: readonly string[], rounds: readonly Round[]): string =>
  rows(
    passColumns,
    names.filter((name) => rounds.some(({ figures }) => figures.get(name)?.passes !== undefined)),
    rounds,
  )

function rows(shown: readonly Column[], names: readonly string[], rounds: readonly Round[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const lines = names.map((name) => {
    const all = rounds.flatMap(({ figures }) => figures.get(name) ?? [])
    return row(shown.map(([, cell]) => cell(all, name, rounds)))
  })
  return [row(shown.map(([title]) => title)), row(shown.map(() => '---')), ...lines].join('\n')
}
