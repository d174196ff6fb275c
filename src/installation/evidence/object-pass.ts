/** Reads all objects of a resource once, page by page, and puts questions to each. No object outlives its page. */
import type { Finding } from '../../crds/comparison/comparison.types.ts'
import type { Offender } from '../../crds/comparison/evidence.types.ts'
import type { Collection, KubernetesClient } from '../../kubernetes/client.types.ts'
import { ApiError } from '../../kubernetes/errors.ts'
import type { KubernetesObject } from '../../kubernetes/objects.ts'
import type { StoredTest } from './stored-test.ts'
import { tracesOf, UserCount } from './version-users.ts'

/** What is asked about each object: would this finding hurt it? */
export interface Question {
  finding: Finding
  test: StoredTest
}

export interface PassOptions {
  questions: readonly Question[]
  /** count who wrote objects in these: `group/version` */
  apiVersions: readonly string[]
  /** read specs too, or metadata only */
  whole: boolean
  onPage: (objects: number) => void
  signal?: AbortSignal | undefined
}

/** What the objects said. */
export interface PassResult {
  checked: number
  answers: ReadonlyMap<Finding, { affected: number; offenders: Offender[] }>
  users: ReadonlyMap<string, UserCount>
}

const offendersShown = 20
/** A list can end in 410 where it takes longer than the API server remembers, and no token leads on. */
const attempts = 3

/**
 * Asks every object every question. Begins again where the API server has forgotten the list in its middle.
 * @throws ApiError where the objects cannot be read
 */
export async function passThrough(
  client: KubernetesClient,
  collection: Collection,
  options: PassOptions,
): Promise<PassResult> {
  for (let attempt = 1; ; attempt++) {
    const tally = new Tally(options)
    try {
      const { signal } = options
      const paging = signal === undefined ? {} : { signal }
      const pages = options.whole ? client.pages(collection, paging) : client.metadataPages(collection, paging)
      for await (const { items } of pages) {
        for (const item of items) tally.add(item)
        options.onPage(tally.checked)
      }
      return tally
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 410 || attempt === attempts) throw error
    }
  }
}

class Tally implements PassResult {
  checked = 0
  readonly answers = new Map<Finding, { affected: number; offenders: Offender[] }>()
  readonly users = new Map<string, UserCount>()
  readonly #questions: readonly Question[]

  constructor({ questions, apiVersions }: PassOptions) {
    this.#questions = questions
    for (const { finding } of questions) this.answers.set(finding, { affected: 0, offenders: [] })
    for (const apiVersion of apiVersions) this.users.set(apiVersion, new UserCount())
  }

  add(object: KubernetesObject): void {
    this.checked += 1
    for (const [apiVersion, count] of this.users) count.add(object, tracesOf(object, apiVersion))
    for (const { finding, test } of this.#questions) {
      const damage = test(object)
      const answer = this.answers.get(finding)
      if (damage === undefined || answer === undefined) continue
      answer.affected += 1
      if (answer.offenders.length === offendersShown) continue
      const { name, namespace } = object.metadata
      answer.offenders.push({ ...(namespace !== undefined && { namespace }), name, ...damage })
    }
  }
}
