/** One thing that a check found. IDs are stable and documented, one page each in docs/checks/. */
import type { ObjectReference } from '../kubernetes/objects.ts'

export type Severity = 'error' | 'warning' | 'info'

export interface Finding {
  /** for example `kubernetes-newer-than-tested` */
  id: string
  severity: Severity
  title: string
  object?: ObjectReference
  /** what was seen, in values: found, wanted, source. Hashed: holds nothing that changes by itself. */
  evidence: Record<string, unknown>
  cause: string
  fix: { text: string; command?: string }
  /** page of the ID, relative to the repository: docs/checks/ID.md */
  docs: string
  /** may be accepted with --accept ID=reason */
  acceptable: boolean
  /** sha256[:12] over id, object and evidence */
  evidenceHash: string
}
