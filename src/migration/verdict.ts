/**
 * What a refused write means: whose doing it is, and whether to ask again. Pure. API servers say who refused only in the
 * text of the message; its forms are those of the server's own sources and have been the same since Kubernetes 1.25.
 */
import type { FailureCause } from './migration.types.ts'

/** The fields of a `Status` that tell; an ApiError has them too. */
export interface StatusFields {
  code: number
  reason?: string
  message: string
  causes?: readonly { reason?: string; message?: string; field?: string }[]
}

/** How a write ended that was not answered with success. */
export interface Refused {
  cause: FailureCause
  /** the webhook's or policy's name, the field, the verb and resource, the version: what one has to look at */
  subject?: string
  message: string
  /**
   * `refused`: the same again would be refused again. `transient`: it may pass later. `throttled`: the server did not act and
   * asks to wait. `conflict`: somebody wrote in between. `gone`: there is no such object. `stop`: no object of this kind
   * will fare better.
   */
  way: 'refused' | 'transient' | 'throttled' | 'conflict' | 'gone' | 'stop'
  /** a dry run was refused because the webhook has side effects: nothing is known about the real write */
  dryRunUnsupported?: true
}

type Found = Pick<Refused, 'cause' | 'way'> & { subject?: string; dryRunUnsupported?: true }
type Row = [pattern: RegExp, found: (match: RegExpExecArray, status: StatusFields) => Found]

// Texts first: webhooks choose the code of their denial themselves, 404 and 503 included.
const byText: Row[] = [
  [
    /admission webhook "([^"]+)" does not support dry run/,
    ([, subject]) => ({ ...refused('webhook', subject), dryRunUnsupported: true }),
  ],
  [/admission webhook "([^"]+)" denied the request/, ([, subject]) => refused('webhook', subject)],
  // Down, slow, or its certificate is not trusted; with failurePolicy Fail that refuses the write.
  [/failed calling webhook "([^"]+)"/, ([, subject]) => ({ ...refused('webhook', subject), way: 'transient' })],
  [
    /(?:AdmissionPolicy|policy) '([^']+)' with binding '[^']+' denied request/,
    ([, subject]) => refused('policy', subject),
  ],
  // "from": bytes in a version that has left the definition. "to": managedFields in such a version.
  [
    /request to convert CR (?:list )?(?:from|to) an invalid group\/version: ([^\s,;]+)/,
    ([, subject]) => refused('conversion', subject),
  ],
  [
    /conversion webhook for (.+?, Kind=[^\s:,]+)/,
    ([, subject]) => ({ ...refused('conversion', subject), way: 'transient' }),
  ],
  [
    /etcdserver: request is too large|trying to send message larger than max|Request entity too large/i,
    () => refused('too-large'),
  ],
  [
    /User "[^"]*" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"/,
    ([, verb, resource, group]) => ({
      ...refused('forbidden', `${verb} ${resource}${group ? `.${group}` : ''}`),
      way: 'stop',
    }),
  ],
  // The mux of the server answers so, not the kind: the definition is gone, or no longer serves this version.
  [
    /the server could not find the requested resource|^404 page not found/,
    () => ({ ...refused('other', 'the kind is not served'), way: 'stop' }),
  ],
]

const byCode: Record<number, (status: StatusFields) => Found> = {
  400: () => refused('other'),
  401: () => ({ ...refused('forbidden', 'authentication'), way: 'stop' }),
  403: () => refused('forbidden'),
  404: () => ({ ...refused('other'), way: 'gone' }),
  405: () => ({ ...refused('other', 'patch is not allowed'), way: 'stop' }),
  408: () => ({ ...refused('server'), way: 'transient' }),
  409: () => ({ ...refused('conflict'), way: 'conflict' }),
  413: () => refused('too-large'),
  422: (status) => refused('schema', fieldOf(status)),
  429: () => ({ ...refused('throttled'), way: 'throttled' }),
}

/** Whose doing an answer is that was not a success. */
export function explain(status: StatusFields): Refused {
  const { message } = status
  for (const [pattern, found] of byText) {
    const match = pattern.exec(message)
    if (match) return { ...found(match, status), message }
  }
  const known = byCode[status.code]
  if (known) return { ...known(status), message }
  return {
    ...refused(status.code >= 500 ? 'server' : 'other'),
    way: status.code >= 500 ? 'transient' : 'refused',
    message,
  }
}

/** A request that got no answer, in the same words. Whether it was carried out is not known. */
export function unanswered(error: { code: string; message: string }): Refused {
  return { cause: 'connection', subject: error.code, message: error.message, way: 'transient' }
}

function refused(cause: FailureCause, subject?: string): Found {
  return { cause, way: 'refused', ...(subject !== undefined && subject !== '' && { subject }) }
}

function fieldOf({ causes, message }: StatusFields): string | undefined {
  const fields = (causes ?? []).flatMap(({ field }) => (field && field !== '<nil>' ? [field] : []))
  if (fields.length > 0) return [...new Set(fields)].join(', ')
  return /is invalid: \[?([^:\s]+): /.exec(message)?.[1]
}
