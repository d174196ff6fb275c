/** Fields that somebody accepts to lose in a migration, each by its name and with a reason. Pure. */
import { createHash } from 'node:crypto'
import type { Plan } from '../plan/plan.types.ts'
import { Refusal } from '../report/refusal.ts'

export interface AcceptedLoss {
  definition: string
  /** as reports have it: `spec.field` */
  path: string
  reason: string
}

/** Reads `DEFINITION:^.spec.field=reason`. Throws `usage` where a part of it is missing, or a field is named twice. */
export const parseAcceptedLosses = (texts: readonly string[]): AcceptedLoss[] => {
  const seen = new Set<string>()
  return texts.map((text) => {
    const [, definition, path, reason] = /^([^:=]+):\^?\.?([^=]+)=(.*)$/s.exec(text) ?? []
    if (definition === undefined || path === undefined || reason === undefined || reason.trim() === '')
      throw new Refusal('usage', `--accept-loss ${text} is not of the form DEFINITION:^.FIELD=REASON.`, {
        why: 'What is lost is lost for ever, so it is accepted field by field, and the reason is recorded.',
        next: "--accept-loss 'widgets.example.com:^.spec.size=nobody uses it'",
      })
    if (seen.has(`${definition}:${path}`))
      throw new Refusal('usage', `--accept-loss names ${definition}:^.${path} twice.`)
    seen.add(`${definition}:${path}`)
    return { definition, path, reason: reason.trim() }
  })
}

/** As it is typed to accept it. */
export const lossName = (definition: string, path: string): string => `${definition}:^.${path}`

/** What is told of acceptances that nothing came of: the field is lost by nobody, or the definition does not move. */
export const unusedNotes = (unused: readonly AcceptedLoss[], definitions: readonly string[]): string[] =>
  unused.map(({ definition, path }) => {
    const why = definitions.includes(definition) ? 'nobody loses it' : `no ${definition} is migrated`
    return `--accept-loss ${lossName(definition, path)} was not needed: ${why}.`
  })

/** For the plan: what was accepted, and why. */
export const acceptedInPlan = (accepted: readonly AcceptedLoss[]): NonNullable<Plan['accepted']> =>
  accepted.map(({ definition, path, reason }) => {
    const id = lossName(definition, path)
    return { id, evidenceHash: createHash('sha256').update(id).digest('hex').slice(0, 12), reason }
  })
