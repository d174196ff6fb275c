/**
 * Fields that another manager owns, when an object of a release is applied. By default they are kept: a replica count that
 * an autoscaler owns, a node selector that somebody set. What makes the release this release cannot be kept. Pure.
 */
import type { AnyObject } from '../kubernetes/objects.ts'

/** One conflict as the API server names it: `conflict with "kubectl-edit" using apps/v1`, `.spec.replicas`. */
export interface FieldConflict {
  field: string
  manager: string
}

/** Fields that decide what runs and with which rights: never left to another manager. */
const OURS = [
  /^\.spec\.template\.spec\.(initC|c)ontainers\[name="[^"]*"\]\.(image|command|args)$/,
  /^\.rules/,
  /^\.roleRef/,
  /^\.subjects/,
  /^\.spec\.(versions|conversion|group|names|scope)/,
  /^\.webhooks/,
]

/** Whether a conflict over this field is won by the release. */
export const belongsToRelease = (field: string): boolean => OURS.some((pattern) => pattern.test(field))

/** The conflicts in an answer's causes; those without a field cannot be handled and are left out. */
export const conflictsOf = (causes: { reason?: string; message?: string; field?: string }[]): FieldConflict[] =>
  causes.flatMap((cause) =>
    cause.reason === 'FieldManagerConflict' && cause.field !== undefined
      ? [{ field: cause.field, manager: /with "([^"]*)"/.exec(cause.message ?? '')?.[1] ?? 'unknown' }]
      : [],
  )

const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/** Which item of a list a bracket means: `0`, `="value"`, or `name="x",protocol="TCP"`. */
const matcher = (bracket: string): ((item: unknown, index: number) => boolean) => {
  if (/^\d+$/.test(bracket)) return (_item, index) => index === Number(bracket)
  if (bracket.startsWith('=')) return (item) => item === (JSON.parse(bracket.slice(1)) as unknown)
  const keys = [...bracket.matchAll(/([A-Za-z0-9_-]+)=("(?:[^"\\]|\\.)*"|[^,]+)/g)]
  return (item) =>
    isRecord(item) && keys.every(([, key = '', value = '']) => item[key] === (JSON.parse(value) as unknown))
}

const removeFromList = (list: unknown[], path: string): unknown[] => {
  const [, bracket = '', rest = ''] = /^\[((?:"(?:[^"\\]|\\.)*"|[^\]"])*)\](.*)$/.exec(path) ?? []
  const matches = matcher(bracket)
  return rest === ''
    ? list.filter((item, index) => !matches(item, index))
    : list.map((item, index) => (matches(item, index) ? remove(item, rest) : item))
}

/** Keys may hold dots (labels, annotations), and a path does not quote them: the object tells which key is meant. */
const removeFromRecord = (record: Record<string, unknown>, path: string): Record<string, unknown> => {
  const text = path.slice(1)
  const key = Object.keys(record)
    .filter((each) => text === each || text.startsWith(`${each}.`) || text.startsWith(`${each}[`))
    .toSorted((a, b) => b.length - a.length)[0]
  if (key === undefined) return record
  const { [key]: inner, ...others } = record
  const rest = text.slice(key.length)
  return rest === '' ? others : { ...others, [key]: remove(inner, rest) }
}

const remove = (value: unknown, path: string): unknown => {
  if (Array.isArray(value) && path.startsWith('[')) return removeFromList(value, path)
  return isRecord(value) && path.startsWith('.') ? removeFromRecord(value, path) : value
}

/**
 * The object without the field that a path of the API server names (`.spec.containers[name="x"].image`); unchanged where
 * there is no such field.
 */
export const withoutField = (object: AnyObject, field: string): AnyObject => remove(object, field) as AnyObject
