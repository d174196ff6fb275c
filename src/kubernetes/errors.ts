/** Errors of the API server and of the way to it. None ever holds a header, a token or a request body. */

/** An answer of the API server that is not a success: the fields of its `Status`. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: number
  readonly reason: string
  /** `METHOD path`, without query and body. */
  readonly request: string
  readonly retryAfterSeconds: number | undefined
  readonly causes: { reason?: string; message?: string; field?: string }[]

  constructor(input: {
    code: number
    reason: string
    message: string
    request: string
    retryAfterSeconds?: number | undefined
    causes?: { reason?: string; message?: string; field?: string }[] | undefined
  }) {
    super(input.message)
    this.code = input.code
    this.reason = input.reason
    this.request = input.request
    this.retryAfterSeconds = input.retryAfterSeconds
    this.causes = input.causes ?? []
  }
}

/** The API server could not be reached at all: refused, unknown host, untrusted certificate, timeout. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  /** ECONNREFUSED, ENOTFOUND, UNABLE_TO_VERIFY_LEAF_SIGNATURE, ETIMEDOUT, ... */
  readonly code: string
  readonly server: string

  constructor(input: { code: string; server: string; message: string; cause?: unknown }) {
    super(input.message, { cause: input.cause })
    this.code = input.code
    this.server = input.server
  }
}

/** The kubeconfig, a flag or a credential plugin is wrong: nothing was sent. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly fix: string | undefined

  constructor(message: string, options?: { fix?: string; cause?: unknown }) {
    super(message, { cause: options?.cause })
    this.fix = options?.fix
  }
}

/** A credential plugin ran and gave nothing: who we are is not known, so nothing was sent. */
export class CredentialError extends Error {
  override readonly name = 'CredentialError'
}

export const isNotFound = (error: unknown): error is ApiError => error instanceof ApiError && error.code === 404
export const isConflict = (error: unknown): error is ApiError => error instanceof ApiError && error.code === 409
export const isForbidden = (error: unknown): error is ApiError => error instanceof ApiError && error.code === 403
