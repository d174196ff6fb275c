/** Sums up what was answered to tried writes. No effects. */
import type { ObjectName } from './migration.types.ts'
import type { DenialGroup, DenialReport } from './survey.types.ts'
import type { Refused } from './verdict.ts'

const [mostExamples, mostUnanswered] = [5, 20]

type Unanswered = DenialReport['unanswered'][number]

export class DenialCount {
  readonly #groups = new Map<string, DenialGroup>()
  readonly #unanswered = new Map<string, Unanswered>()
  #accepted = 0
  #gone = 0
  #refused = 0
  #stopped = false

  get checked(): number {
    const unanswered = [...this.#unanswered.values()].reduce((sum, { objects }) => sum + objects, 0)
    return this.#accepted + this.#gone + this.#refused + unanswered
  }

  /** No object will fare better. */
  get stopped(): boolean {
    return this.#stopped
  }

  accepted(): void {
    this.#accepted++
  }

  gone(): void {
    this.#gone++
  }

  unanswered(object: ObjectName, webhook: string): void {
    const known = this.#unanswered.get(webhook) ?? { webhook, objects: 0, examples: [] }
    known.objects++
    if (known.examples.length < mostUnanswered) known.examples.push(object)
    this.#unanswered.set(webhook, known)
  }

  refused(object: ObjectName, { cause, subject, message, way }: Refused, throughStatus: boolean): void {
    this.#refused++
    if (way === 'stop') this.#stopped = true
    const key = `${cause} ${subject ?? ''}`
    const group = this.#groups.get(key) ?? {
      cause,
      ...(subject !== undefined && { subject }),
      objects: 0,
      throughStatus: 0,
      examples: [],
    }
    group.objects++
    if (throughStatus) group.throughStatus++
    if (group.examples.length < mostExamples) group.examples.push({ ...object, message })
    this.#groups.set(key, group)
  }

  /** The groups of most objects first. */
  result(): Omit<DenialReport, 'definition' | 'objects'> {
    return {
      checked: this.checked,
      accepted: this.#accepted,
      gone: this.#gone,
      groups: [...this.#groups.values()].toSorted((one, other) => other.objects - one.objects),
      unanswered: [...this.#unanswered.values()].toSorted((one, other) => other.objects - one.objects),
      stopped: this.#stopped,
    }
  }
}
