/** The hash of a plan: equal for equal decisions, whatever the order of keys they were written in. */
import { createHash } from 'node:crypto'
import type { Plan } from './plan.types.ts'

/** JSON with sorted keys, so that the text depends on values only. */
export const canonicalJson = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )

/** sha256 (hex, first 16 digits) over everything in the plan but the hash itself. */
export const planHash = (plan: Omit<Plan, 'hash'>): string =>
  createHash('sha256').update(canonicalJson(plan)).digest('hex').slice(0, 16)

/** Gives the plan its hash. */
export const sealed = (plan: Omit<Plan, 'hash'>): Plan => ({ ...plan, hash: planHash(plan) })
