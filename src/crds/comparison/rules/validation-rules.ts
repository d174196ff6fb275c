/** Rules in CEL. What one accepts cannot be computed, so two rules are the same only where their texts are. */
import type { JSONSchema } from '../comparison.types.ts'
import { breaks, rule, tells } from '../rule.ts'
import type { NodePair } from '../rule.types.ts'
import { canonical, listOf, schemaOf } from '../schema-reading.ts'

interface ValidationRule {
  text: string
  /** what it is by: its expression, and whether it also runs without an old value */
  identity: string
  /** what its author and its refusal say */
  words: string
  message: string
}

function rulesOf(schema: JSONSchema): ValidationRule[] {
  return listOf(schema['x-kubernetes-validations']).map((entry) => {
    const { rule: expression, optionalOldSelf, ...words } = schemaOf(entry)
    const text = typeof expression === 'string' ? expression.trim() : ''
    const message = typeof words['message'] === 'string' ? words['message'] : ''
    return { text, identity: canonical([text, optionalOldSelf === true]), words: canonical(words), message }
  })
}

/** A rule over `oldSelf` judges changes, not values: objects that are stored keep to it. A field may have that name as well. */
const isTransition = ({ text }: ValidationRule) => /(?<![.\w])oldSelf\b/.test(text)

const once = (rules: readonly ValidationRule[], without: readonly ValidationRule[]) => {
  const known = new Set(without.map(({ identity }) => identity))
  return [...new Map(rules.map((entry) => [entry.identity, entry])).values()].filter(
    ({ identity }) => !known.has(identity),
  )
}

export const validationRules = rule({
  id: 'crd.validation-rule',
  compares: 'x-kubernetes-validations: rules in CEL, as a set',
  kinds: {
    added: breaks(
      ['writer', 'stored'],
      'one more rule must hold',
      'Requests that break it are refused. Stored objects that break it can be written only as long as the part it is about stays the same, from Kubernetes 1.30 on; before, not at all.',
      'Look with a server-side dry run of your objects whether they keep to it; else add the rule in a new version.',
    ),
    'transition-added': breaks(
      ['writer'],
      'a change that was allowed is refused now',
      'The rule compares with the old value: what could be changed may not be any more.',
      'Add the rule in a new version, or tell who changes the field.',
    ),
    changed: breaks(
      ['writer', 'stored'],
      'a rule says something else',
      'No program can tell in general whether the new expression accepts all that the old one did.',
      'If it accepts more than before, accept the finding with the reason.',
    ),
    removed: tells(
      ['reader'],
      'a rule need not hold any more',
      'Clients see values that it kept away.',
      'Going back needs objects that keep to it.',
    ),
    'words-changed': tells(
      [],
      'a rule refuses with other words',
      'Message, reason or field path are another one; what is refused is the same.',
      'Nothing to do, unless a program reads the words.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const [old, now] = [rulesOf(before), rulesOf(after)]
    const gone = once(old, now)
    for (const added of once(now, old)) {
      // With the same message it is the same rule in the eyes of its author.
      const index = added.message === '' ? -1 : gone.findIndex(({ message }) => message === added.message)
      const [former] = index < 0 ? [] : gone.splice(index, 1)
      if (former !== undefined) see('changed', { before: former.text, after: added.text })
      else see(isTransition(added) ? 'transition-added' : 'added', { after: added.text })
    }
    for (const { text } of gone) see('removed', { before: text })
    for (const { identity, words, text } of now) {
      const former = old.filter((entry) => entry.identity === identity)
      if (former.length > 0 && former.every((entry) => entry.words !== words)) see('words-changed', { after: text })
    }
  },
})
