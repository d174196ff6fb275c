/** Counts of a pass, page by page: a place is told only when all before it is done. */
import type { ObjectFailure, PassCounts, PassPlace } from './migration.types.ts'
import type { Attempt } from './patching.ts'

/** One page whose objects get their verdicts. */
export interface TallyPage {
  next: string | undefined
  open: number
  /** of a list that was begun again: its objects come once more */
  stray: boolean
  counts: PassCounts
  failures: ObjectFailure[]
}

const mostFailures = 100
const noCounts = (): PassCounts => ({
  rewritten: 0,
  unchanged: 0,
  gone: 0,
  failed: 0,
  throughStatus: 0,
  managersMoved: 0,
  altered: 0,
})

export class Tally {
  /** of all pages before the first open one */
  #done: TallyPage
  #pages: TallyPage[] = []
  readonly #startedAt: string

  constructor(place: PassPlace | undefined, startedAt: string) {
    this.#startedAt = place?.startedAt ?? startedAt
    this.#done = {
      next: place?.continue,
      open: 0,
      stray: false,
      counts: { ...(place?.counts ?? noCounts()) },
      failures: [...(place?.failures ?? [])],
    }
  }

  get startedAt(): string {
    return this.#startedAt
  }

  open(objects: number, next: string | undefined): TallyPage {
    const page = { next, open: objects, stray: false, counts: noCounts(), failures: [] }
    this.#pages.push(page)
    return page
  }

  succeeded(page: TallyPage, attempt: Extract<Attempt, { verdict: string }>): void {
    if (page.stray && attempt.verdict !== 'rewritten') return
    const { counts } = page.stray ? this.#done : page
    counts[attempt.verdict] += 1
    if (attempt.throughStatus) counts.throughStatus += 1
    counts.managersMoved += attempt.managersMoved
    if (attempt.altered) counts.altered += 1
  }

  failed(page: TallyPage, failure: ObjectFailure): void {
    page.counts.failed += 1
    if (page.failures.length < mostFailures) page.failures.push(failure)
  }

  /** one object of the page has its verdict; the place to tell, if that completed a page and all before it */
  close(page: TallyPage): PassPlace | undefined {
    page.open -= 1
    return this.advance()
  }

  /** the place after the pages that are complete, if there is a new one to tell */
  advance(): PassPlace | undefined {
    const before = this.#done.next
    for (let first = this.#pages[0]; first?.open === 0; first = this.#pages[0]) {
      this.#done = together(this.#done, first)
      this.#pages.shift()
    }
    return this.#done.next === undefined || this.#done.next === before ? undefined : this.place()
  }

  /**
   * The list begins again. What was rewritten stays so, or a pass that began anew would prove what it does not; all else
   * will be counted again.
   */
  restart(): void {
    const { rewritten, throughStatus, managersMoved, altered } = this.total().counts
    this.#done = {
      next: undefined,
      open: 0,
      stray: false,
      counts: { ...noCounts(), rewritten, throughStatus, managersMoved, altered },
      failures: [],
    }
    for (const page of this.#pages) page.stray = true
    this.#pages = []
  }

  place(): PassPlace {
    const { next, counts, failures } = this.#done
    return {
      ...(next !== undefined && { continue: next }),
      startedAt: this.#startedAt,
      counts: { ...counts },
      failures: [...failures],
    }
  }

  total(): { counts: PassCounts; failures: ObjectFailure[] } {
    return this.#pages.reduce(together, this.#done)
  }
}

function together(left: TallyPage, right: TallyPage): TallyPage {
  const counts = { ...left.counts }
  for (const name of Object.keys(counts) as (keyof PassCounts)[]) counts[name] += right.counts[name]
  return {
    next: right.next,
    open: 0,
    stray: false,
    counts,
    failures: [...left.failures, ...right.failures].slice(0, mostFailures),
  }
}
