/** What the validation of a node comes to, and how the API server weighs one branch of a schema against another. */
import type { Invalid, NodeStep } from './decode.types.ts'

/** A node of the object: its path, and its name in messages. */
export interface Place {
  path: readonly NodeStep[]
  name: string
}

export interface Outcome {
  invalid: Invalid[]
  /** how many checks were passed: of branches that all fail, the one with the most tells why */
  passed: number
}

/** An outcome without anything. */
export function nothing(): Outcome {
  return { invalid: [], passed: 0 }
}

/** Adds what other outcomes say; the same message counts once. */
export function merge(into: Outcome, ...others: Outcome[]): Outcome {
  for (const { invalid, passed } of others) {
    add(into, ...invalid)
    into.passed += passed
  }
  return into
}

/** Adds refusals, each message once. */
export function add(into: Outcome, ...invalid: Invalid[]): void {
  for (const one of invalid) {
    if (!into.invalid.some(({ message }) => message === one.message)) into.invalid.push(one)
  }
}

/** A refusal of this node. */
export function refused(at: Place, reason: string, what: string): Invalid {
  return { path: [...at.path], field: at.name, reason, message: `${at.name} ${what}` }
}

/** A refusal of which the API server's cause does not name the field. */
export function refusedUnplaced(at: Place, what: string): Invalid {
  return { ...refused(at, 'FieldValueInvalid', what), unplaced: true }
}

/** A field of the object at this place. */
export function fieldAt(at: Place, name: string): Place {
  return { path: [...at.path, name], name: at.name === '' ? name : `${at.name}.${name}` }
}

/** An item of the list at this place. */
export function itemAt(at: Place, index: number): Place {
  return { path: [...at.path, index], name: `${at.name}[${index}]` }
}
