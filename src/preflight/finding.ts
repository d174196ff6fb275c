/** Builds findings: the page of the ID and the hash of the evidence are never left to a check. */
import { createHash } from 'node:crypto'
import type { ObjectReference } from '../kubernetes/objects.ts'
import type { Finding } from './finding.types.ts'

/** What a check says; its finding may be accepted with --accept ID=reason unless it says otherwise. */
export type FindingInput = Omit<Finding, 'docs' | 'acceptable' | 'evidenceHash'> & Partial<Pick<Finding, 'acceptable'>>

/**
 * Gives the finding with its page and the hash of what it rests on.
 * Title, cause, fix and severity are words about the evidence and not hashed, so rewording one keeps acceptances alive.
 */
export function finding(input: FindingInput): Finding {
  const { acceptable = true, object, ...rest } = input
  return {
    ...rest,
    ...(object && { object: named(object) }),
    docs: `docs/checks/${input.id}.md`,
    acceptable,
    evidenceHash: evidenceHash(input.id, input.object, input.evidence),
  }
}

/** By name only, as the schema of the output has it: no uid, which changes with every new object. */
function named({ apiVersion, kind, namespace, name }: ObjectReference): ObjectReference {
  return { apiVersion, kind, ...(namespace !== undefined && { namespace }), name }
}

/** The first 12 hex digits of SHA-256 over the ID, the object's name and the evidence, keys sorted at every depth. */
export function evidenceHash(
  id: string,
  object: ObjectReference | undefined,
  evidence: Record<string, unknown>,
): string {
  const subject = object && [object.apiVersion, object.kind, object.namespace ?? '', object.name]
  return createHash('sha256')
    .update(JSON.stringify([id, subject ?? null, sorted(evidence)]))
    .digest('hex')
    .slice(0, 12)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => [key, sorted(field)]),
  )
}
