/** Which numbers a node accepts: an interval, of which exclusive bounds are a part, and a step. */
import type { JSONSchema } from '../comparison.types.ts'
import { breaks, rule, tells } from '../rule.ts'
import type { NodePair } from '../rule.types.ts'
import { type BoundKind, boundKinds } from './bounds.ts'

interface Side {
  bound: 'minimum' | 'maximum'
  exclusive: 'exclusiveMinimum' | 'exclusiveMaximum'
  /** 1 where a larger bound is the tighter one */
  direction: 1 | -1
}

const lower: Side = { bound: 'minimum', exclusive: 'exclusiveMinimum', direction: 1 }
const upper: Side = { bound: 'maximum', exclusive: 'exclusiveMaximum', direction: -1 }

/** The API server decodes whole numbers into 64 bits. */
const largest = 2 ** 63

interface Bound {
  value: number
  exclusive: boolean
}

/** The bound in its own form: for whole numbers, `> 0` and `>= 1` are the same. */
function boundOf(schema: JSONSchema, { bound, exclusive, direction }: Side): Bound | undefined {
  const value = schema[bound]
  if (typeof value !== 'number') return undefined
  const open = schema[exclusive] === true
  if (schema['type'] !== 'integer') return { value, exclusive: open }
  const closed = direction * (Math.ceil(direction * value) + (open && Number.isInteger(value) ? 1 : 0))
  return direction * closed <= -largest ? undefined : { value: closed, exclusive: false }
}

function shown(schema: JSONSchema, { bound, exclusive }: Side): unknown {
  const value = schema[bound]
  return value !== undefined && schema[exclusive] === true ? { [bound]: value, [exclusive]: true } : value
}

function relate(old: Bound | undefined, now: Bound | undefined, direction: 1 | -1): BoundKind | undefined {
  if (old === undefined) return now && 'added'
  if (now === undefined) return 'removed'
  const difference = direction * (now.value - old.value) || Number(now.exclusive) - Number(old.exclusive)
  if (difference === 0) return undefined
  return difference > 0 ? 'tightened' : 'relaxed'
}

const boundRule = (side: Side, values: string) =>
  rule({
    id: `crd.${side.bound}`,
    compares: `${side.bound} with ${side.exclusive}, as one end of an interval`,
    kinds: boundKinds(`the ${side.bound}`, values),
    compare: ({ before, after }: NodePair, see) => {
      const seen = { before: shown(before, side), after: shown(after, side) }
      const kind = relate(boundOf(before, side), boundOf(after, side), side.direction)
      if (kind !== undefined) see(kind, seen)
      else if (boundOf(after, side) === undefined && seen.before === undefined && seen.after !== undefined) {
        see('no-effect', seen)
      }
    },
  })

export const minimum = boundRule(lower, 'smaller values')
export const maximum = boundRule(upper, 'larger values')

/** Undefined where every number of the type is a multiple. */
function stepOf(schema: JSONSchema): number | undefined {
  const step = schema['multipleOf']
  if (typeof step !== 'number') return undefined
  return schema['type'] === 'integer' && isMultiple(1, step) ? undefined : step
}

/** As the API server does: the quotient is a whole number. */
function isMultiple(value: number, step: number): boolean {
  return Number.isInteger(value / step)
}

export const multipleOf = rule({
  id: 'crd.multiple-of',
  compares: 'multipleOf',
  kinds: {
    added: breaks(
      ['writer', 'stored'],
      'only multiples are accepted now',
      'Other values are refused, and stored objects that hold one cannot be written any more.',
      'Look with --live whether an object holds another value; else restrict the field in a new version.',
    ),
    changed: breaks(
      ['writer', 'stored'],
      'multiples of another number are accepted',
      'Multiples of the old number that are none of the new one are refused.',
      'Choose a number that divides the old one.',
    ),
    relaxed: tells(
      ['reader'],
      'more multiples are accepted',
      'The new number divides the old one.',
      'Going back needs multiples of the old number.',
    ),
    removed: tells(
      ['reader'],
      'values need not be multiples any more',
      'Clients see values between.',
      'Going back needs multiples.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const [old, now] = [stepOf(before), stepOf(after)]
    const seen = { before: before['multipleOf'], after: after['multipleOf'] }
    if (old === now) return
    if (old === undefined) see('added', seen)
    else if (now === undefined) see('removed', seen)
    else see(isMultiple(old, now) ? 'relaxed' : 'changed', seen)
  },
})
