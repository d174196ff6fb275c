/** The list of a pass, page by page: what to do when one cannot be had. Every object comes at least once. */
import { ApiError, ConnectionError } from '../kubernetes/errors.ts'
import type { KubernetesObject } from '../kubernetes/objects.ts'
import { apiError, inconsistentContinue, parseBody } from '../kubernetes/status-error.ts'
import type { StopReason } from './pass.types.ts'
import type { Patching, Work } from './patching.ts'
import { backOff } from './retry-budget.ts'
import { explain, type Refused, unanswered } from './verdict.ts'

/** `page`: objects. `later`: ask again after the moment. `anew`: begin again from the first object. `stop`: there is no list. */
export type Listed =
  | { kind: 'page'; works: Work[]; next: string | undefined; remaining: number | undefined }
  | { kind: 'later'; at: number }
  | { kind: 'anew' }
  | { kind: 'stop'; reason: StopReason; refused: Refused }

interface ListBody {
  metadata?: { continue?: string; remainingItemCount?: number; resourceVersion?: string }
  items?: { metadata?: KubernetesObject['metadata'] }[] | null
}

export const pageSize = 500

/** An empty list proves that there is nothing to move, so what is no list must not be taken for one. */
function listIn(answer: { status: number; text: string }): ListBody {
  const body = parseBody<ListBody | null>('', answer)
  if (body?.metadata?.resourceVersion) return body
  const message = 'the answer is not a list of objects: something between here and the API server answered for it'
  throw new ApiError({ code: answer.status, reason: 'InvalidAnswer', message, request: 'a page of the objects' })
}

export interface ListingOptions {
  token: string | undefined
  now: () => number
  random: () => number
  outageSeconds: number
}

export class Listing {
  readonly #patching: Patching
  readonly #options: ListingOptions
  #token: string | undefined
  #failed = 0
  #failingSince: number | undefined

  constructor(patching: Patching, options: ListingOptions) {
    this.#patching = patching
    this.#options = options
    this.#token = options.token
  }

  async next(): Promise<Listed> {
    let answer: Awaited<ReturnType<Patching['page']>>
    try {
      answer = await this.#patching.page(this.#token, pageSize)
    } catch (error) {
      if (error instanceof ConnectionError) return this.#later(unanswered(error))
      throw error
    }
    if (answer.status === 200) return this.#page(listIn(answer))
    if (this.#token !== undefined && (answer.status === 410 || answer.status === 400)) return this.#expired(answer)
    return this.#refused(explain(apiError('', answer)))
  }

  #page(body: ListBody): Listed {
    this.#failed = 0
    this.#failingSince = undefined
    this.#token = body.metadata?.continue || undefined
    const works = (body.items ?? []).flatMap((item) => this.#patching.work(item) ?? [])
    return { kind: 'page', works, next: this.#token, remaining: body.metadata?.remainingItemCount }
  }

  // Tokens end with etcd's compaction, about five minutes after the first page. The one in exchange goes on at the same
  // object in a list of a newer moment, which is as good here. 400: the token is of a server that knows nothing of it.
  #expired({ status, text }: { status: number; text: string }): Listed {
    const token = status === 410 ? inconsistentContinue(text) : undefined
    if (token !== undefined && token !== this.#token) {
      this.#token = token
      return { kind: 'later', at: this.#options.now() }
    }
    this.#token = undefined
    return { kind: 'anew' }
  }

  #refused(refused: Refused): Listed {
    if (refused.way === 'transient') return this.#later(refused)
    // When to come back is for the pace, which has seen the answer.
    if (refused.way === 'throttled') return { kind: 'later', at: this.#options.now() }
    if (refused.cause === 'forbidden') return { kind: 'stop', reason: 'forbidden', refused }
    if (refused.cause === 'conversion') return { kind: 'stop', reason: 'unreadable', refused }
    const absent = refused.way === 'gone' || refused.way === 'stop'
    return { kind: 'stop', reason: absent ? 'not-served' : 'refused', refused }
  }

  #later(refused: Refused): Listed {
    const { now, random, outageSeconds } = this.#options
    this.#failingSince ??= now()
    this.#failed += 1
    if (now() - this.#failingSince >= outageSeconds * 1000) return { kind: 'stop', reason: 'outage', refused }
    return { kind: 'later', at: now() + backOff(this.#failed, random) }
  }
}
