/** Step ids: the place in the plan and a word, so that a journal reads by itself. Pure. */
import type { Step } from './plan.types.ts'

type WithoutId<S> = S extends Step ? Omit<S, 'id'> : never

/** A step before it has a place in a plan. */
export type DraftStep = WithoutId<Step>

/** Gives each step its id, `03-apply` for the third. */
export const numbered = (drafts: DraftStep[]): Step[] =>
  drafts.map((draft, index) => ({ ...draft, id: `${String(index + 1).padStart(2, '0')}-${draft.kind}` }))
