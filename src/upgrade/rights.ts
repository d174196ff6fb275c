/**
 * Rights for the time in which two releases work: the running one goes on until its standby has the Lease, and RBAC of the
 * new release may lack what it still needs. Pure.
 */
import type { AnyObject } from '../kubernetes/objects.ts'
import { canonicalJson } from '../plan/hash.ts'
import type { DraftStep } from '../plan/numbering.ts'
import { keyOf, referenceOf } from '../plan/reference.ts'
import { applySteps } from './common-steps.ts'

/** What a role allows, and whom a binding names. */
const RIGHTS: Record<string, 'rules' | 'subjects'> = {
  Role: 'rules',
  ClusterRole: 'rules',
  RoleBinding: 'subjects',
  ClusterRoleBinding: 'subjects',
}

export interface Rights {
  /** the objects, with what they allow now beside what the release says */
  forBoth: AnyObject[]
  /** applies those that allow more than the release says as the release says; nothing where there are none */
  leave: DraftStep[]
}

/** The rules of an aggregated ClusterRole are left out: the API server's own controller writes them. */
export const rightsOfBoth = (objects: AnyObject[], live: AnyObject[], title: string): Rights => {
  const pairs = objects.map((object) => ({ object, both: withRightsOf(object, live) }))
  const widened = pairs.flatMap(({ object, both }) => (both === object ? [] : [object]))
  return { forBoth: pairs.map(({ both }) => both), leave: applySteps(`Leave just the rights of ${title}`, widened) }
}

const withRightsOf = (object: AnyObject, live: AnyObject[]): AnyObject => {
  const field = RIGHTS[object.kind]
  const now = live.find((each) => keyOf(referenceOf(each)) === keyOf(referenceOf(object)))
  if (field === undefined || now === undefined || object['aggregationRule'] !== undefined) return object
  const wanted = listOf(object[field])
  const known = new Set(wanted.map(canonicalJson))
  const more = listOf(now[field]).filter((each) => !known.has(canonicalJson(each)))
  return more.length === 0 ? object : { ...object, [field]: [...wanted, ...more] }
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
