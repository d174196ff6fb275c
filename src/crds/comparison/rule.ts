/** How rules and the kinds of change in them are written down. */
import type { Audience, ChangeKind, Level } from './comparison.types.ts'
import type { Rule, RuleOf } from './rule.types.ts'

/** A rule as one of many. The compiler has seen that it names only its own kinds. */
export function rule<Subject, Kind extends string>(definition: RuleOf<Subject, Kind>): Rule<Subject> {
  return definition
}

type Texts = [title: string, why: string, fix: string]

/** A kind of change that breaks somebody. */
export function breaks(audiences: readonly Audience[], ...texts: Texts): ChangeKind {
  return kind('error', audiences, texts)
}

/** A kind of change that may hurt somebody. */
export function warns(audiences: readonly Audience[], ...texts: Texts): ChangeKind {
  return kind('warning', audiences, texts)
}

/** A kind of change that is worth a line and hurts nobody who keeps to the rules. */
export function tells(audiences: readonly Audience[], ...texts: Texts): ChangeKind {
  return kind('info', audiences, texts)
}

function kind(level: Level, audiences: readonly Audience[], [title, why, fix]: Texts): ChangeKind {
  return { level, audiences, title, why, fix }
}
