/** Why no plan can be made: a value, so that planners stay pure. */
import type { Plan } from './plan.types.ts'

export interface Refused {
  message: string
  why?: string
  next?: string
}

export type Planned = { plan: Plan } | { refused: Refused }
