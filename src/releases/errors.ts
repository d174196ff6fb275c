/** What can be wrong with a release or with what was said about it. */

/**
 * `bad-version`: not a semantic version. `not-found`: no such release there. `unreadable`: it could not be read at all.
 * `too-large`: beyond the size limit. `not-a-release`: read, but not the manifests of a release. `no-controller`: a release
 * without a controller. `wrong-version` and `wrong-product`: the files are of another version or product. `bad-image`: an
 * image reference that cannot be pinned. `bad-compatibility`: a compatibility file that cannot be understood.
 */
export type ReleaseErrorKind =
  | 'bad-version'
  | 'not-found'
  | 'unreadable'
  | 'too-large'
  | 'not-a-release'
  | 'no-controller'
  | 'wrong-version'
  | 'wrong-product'
  | 'bad-image'
  | 'bad-compatibility'

/** Thrown by everything in this room: what happened, why, and what to do next. Never holds credentials of a URL. */
export class ReleaseError extends Error {
  override readonly name = 'ReleaseError'
  readonly kind: ReleaseErrorKind
  readonly why: string | undefined
  readonly next: string | undefined

  constructor(kind: ReleaseErrorKind, message: string, options?: { why?: string; next?: string; cause?: unknown }) {
    super(message, { cause: options?.cause })
    this.kind = kind
    this.why = options?.why
    this.next = options?.next
  }
}
