/**
 * From any error to what a person (and a script) is told: what happened, why, what to type next, and the exit code.
 * Errors of other rooms are told by their `name`, so that `--version` and `--help` load no Kubernetes code.
 */
import { nearest } from '../report/nearest.ts'
import { askForRights, Refusal, type RefusalKind } from '../report/refusal.ts'
import { ExitCode, type ExitName } from './exit-codes.ts'

export interface ErrorReport {
  exit: ExitName
  /** stable word for scripts: `usage`, `unauthenticated`, `forbidden`, ... */
  kind: string
  message: string
  why?: string
  next?: string
  details?: Record<string, unknown>
}

const exitOfRefusal: Readonly<Record<RefusalKind, ExitName>> = {
  usage: 'usage',
  failed: 'failed',
  blocked: 'blocked',
  locked: 'locked',
  unfinished: 'unfinished',
  'went-back': 'wentBack',
  'cannot-go-back': 'cannotGoBack',
  interrupted: 'interrupted',
}

type Fields = Readonly<Record<string, unknown>>

const text = (fields: Fields, name: string): string | undefined => {
  const value = fields[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

const report = (
  exit: ExitName,
  kind: string,
  message: string,
  rest: { why?: string | undefined; next?: string | undefined; details?: Record<string, unknown> | undefined } = {},
): ErrorReport => ({
  exit,
  kind,
  message,
  ...(rest.why !== undefined && { why: rest.why }),
  ...(rest.next !== undefined && { next: rest.next }),
  ...(rest.details !== undefined && { details: rest.details }),
})

/** 401 and 403 have an exit code of their own meaning; every other answer is a failure as it stands. */
const ofApiError = (error: Error, fields: Fields, printsRights: boolean): ErrorReport => {
  const details = { code: fields['code'], reason: fields['reason'], request: fields['request'] }
  if (fields['code'] === 401) {
    return report(
      'failed',
      'unauthenticated',
      'The API server does not know us: the credentials are expired or wrong.',
      {
        why: error.message,
        next: 'log in again, then check with: kubectl auth whoami',
        details,
      },
    )
  }
  if (fields['code'] === 403) {
    return report('blocked', 'forbidden', 'The API server knows us but does not allow this.', {
      why: error.message,
      next: printsRights ? askForRights : 'ask for the missing right, or use another user with --context or --as',
      details,
    })
  }
  const request = text(fields, 'request')
  return report('failed', 'api-error', error.message, {
    why: request === undefined ? undefined : `The API server answered ${String(fields['code'])} to ${request}.`,
    details,
  })
}

const ofConnectionError = (error: Error, fields: Fields): ErrorReport =>
  report('failed', 'unreachable', error.message, {
    next: 'check the connection with: kubectl version',
    details: { code: fields['code'], server: fields['server'] },
  })

/** The parser's messages begin and end with phrases of its own, and name a missing flag without its dashes. */
const ofParseError = (error: Error, fields: Fields, usage: string | undefined): ErrorReport => {
  const message = error.message
    .replaceAll('\nSee more help with --help', '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replaceAll(/Missing required flag (?!-)/g, 'Missing required flag --')
  const near = nearFlags(fields)
  return report('usage', 'usage', message.trim(), { why: near === '' ? undefined : `Near ones: ${near}`, next: usage })
}

/** Flags of the command that are spelled much like those that it does not know. */
const nearFlags = (fields: Fields): string => {
  const unknown = Array.isArray(fields['flags']) ? fields['flags'].map(String) : []
  const { input } = (fields['parse'] ?? {}) as { input?: { flags?: object } }
  const known = Object.keys(input?.flags ?? {})
  const near = unknown.flatMap((flag) => nearest(flag.replace(/^-+/, ''), known))
  return [...new Set(near)].map((name) => `--${name}`).join(', ')
}

const isParseError = (error: Error, fields: Fields): boolean =>
  'parse' in fields ||
  // of an argument, where the parser throws a bare Error
  error.message.startsWith('Expected an integer ') ||
  ('oclif' in fields && (fields['oclif'] as { exit?: unknown } | undefined)?.exit === ExitCode.usage)

const isInterruption = (error: Error): boolean =>
  error.name === 'AbortError' || error.name === 'ExitPromptError' || error.name === 'AbortPromptError'

/**
 * Reports any thrown value. `usage` is what to type for help on the command that failed; `printsRights` says that the command
 * knows --print-rbac.
 * Gives no stack: a stack is for `AIRUNWAY_DEBUG` only.
 */
export const describeError = (
  thrown: unknown,
  options: { usage?: string; printsRights?: boolean } = {},
): ErrorReport => {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const fields = error as unknown as Fields
  if (error instanceof Refusal) return report(exitOfRefusal[error.kind], error.kind, error.message, error)
  if (isInterruption(error)) return report('interrupted', 'interrupted', 'Interrupted.')
  if (error.name === 'ApiError') return ofApiError(error, fields, options.printsRights === true)
  if (error.name === 'ConnectionError') return ofConnectionError(error, fields)
  if (error.name === 'ConfigurationError') {
    return report('usage', 'configuration', error.message, { next: text(fields, 'fix') })
  }
  if (error.name === 'CredentialError') {
    return report('failed', 'unauthenticated', error.message, {
      why: 'Without a credential the API server does not know us; what the plugin said stands above.',
      next: 'log in again, then check with: kubectl auth whoami',
    })
  }
  if (error.name === 'ReleaseError') {
    return report('usage', text(fields, 'kind') ?? 'release', error.message, {
      why: text(fields, 'why'),
      next: text(fields, 'next'),
    })
  }
  if (isParseError(error, fields)) return ofParseError(error, fields, options.usage)
  return report('failed', 'unexpected', error.message, {
    why: 'This was not expected; it may be a defect of this tool.',
    next: 'run it again with AIRUNWAY_DEBUG=1 to see where it happened',
  })
}
