/** Rights for the time in which two releases work: each role allows what either of them needs. Pure. */
import type { AnyObject } from '../kubernetes/objects.ts'
import { canonicalJson } from './hash.ts'
import { keyOf, referenceOf } from './reference.ts'

/** What a role allows, and whom a binding names. */
const RIGHTS: Record<string, 'rules' | 'subjects'> = {
  Role: 'rules',
  ClusterRole: 'rules',
  RoleBinding: 'subjects',
  ClusterRoleBinding: 'subjects',
}

/**
 * The object, with what its namesake among `others` allows besides; the object itself where that is nothing. The rules of an
 * aggregated ClusterRole are left out: the API server's own controller writes them.
 */
export const withRightsOf = (object: AnyObject, others: readonly AnyObject[]): AnyObject => {
  const field = RIGHTS[object.kind]
  const other = others.findLast((each) => keyOf(referenceOf(each)) === keyOf(referenceOf(object)))
  if (field === undefined || other === undefined || object['aggregationRule'] !== undefined) return object
  const mine = listOf(object[field])
  const known = new Set(mine.map(canonicalJson))
  const more = listOf(other[field]).filter((each) => !known.has(canonicalJson(each)))
  return more.length === 0 ? object : { ...object, [field]: [...mine, ...more] }
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
