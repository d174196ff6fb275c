import { compare } from '../../../../src/crds/comparison/compare.ts'
import type { ComparisonContext, JSONSchema, ProfileName } from '../../../../src/crds/comparison/comparison.types.ts'
import type { CustomResourceDefinition } from '../../../../src/kubernetes/objects.ts'
import { definition, object, today, version, webhook } from './definitions.ts'

export type Definition = CustomResourceDefinition
export type Schema = JSONSchema

export const text = { type: 'string' }
export const spec = (properties: Record<string, Schema>, others: Schema = {}) => ({ spec: object(properties, others) })
export const plain = spec({ x: text })
export const optional = spec({ x: text, y: text })
export const narrow = spec({ x: { ...text, maxLength: 3 } })
export const renamed = spec({ y: text })
export const required = spec({ x: text, y: { type: 'integer' } }, { required: ['y'] })
export const filled = spec({ x: text, y: { type: 'integer', default: 1 } }, { required: ['y'] })
export const retyped = spec({ x: { type: 'object' } })
export const removed = spec({})
export const removedPolitely = spec({})
export const polite = spec({ x: { ...text, description: 'Deprecated: does nothing.' } })
export const moved = spec({ z: object({ x: text }) })
export const documented = spec({ x: { ...text, description: 'other words' } })
export const old = { deprecated: true, deprecationWarning: 'use the new one' }
export const withHook = { conversion: webhook }
export const storage = { storage: true }

export const v = (name: string, ...parts: object[]) => version(name, Object.assign({}, ...parts) as object)

/** Of an upgrade, the errors and warnings whose ids begin with a word: `error ngf.storage.moved-early`. */
export function found(
  profile: ProfileName,
  before: Definition,
  after: Definition,
  begins: string,
  context: Partial<ComparisonContext> = {},
): string[] {
  return compare(before, after, { profile, context: { ...today, ...context } })
    .upgrade.filter(({ id, level }) => id.startsWith(begins) && level !== 'info')
    .map(({ level, id }) => `${level} ${id}`)
    .toSorted()
}

export type Line = [
  line: string,
  before: Definition,
  after: Definition,
  policy: string[],
  context?: Partial<ComparisonContext>,
]

export const within = (name: string, before: object, after: object): [Definition, Definition] => [
  definition([v(name, before)]),
  definition([v(name, after)]),
]
