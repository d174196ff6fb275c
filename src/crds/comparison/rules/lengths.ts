/** How long a text, how many the items of a list, how many the fields of an object. */
import { rule } from '../rule.ts'
import type { NodePair } from '../rule.types.ts'
import { boundKinds } from './bounds.ts'

interface Length {
  id: string
  word: string
  bound: string
  values: string
  /** 1 where a larger bound is the tighter one */
  direction: 1 | -1
}

const lengths: readonly Length[] = [
  { id: 'crd.min-length', word: 'minLength', bound: 'the least length', values: 'shorter texts', direction: 1 },
  { id: 'crd.max-length', word: 'maxLength', bound: 'the greatest length', values: 'longer texts', direction: -1 },
  { id: 'crd.min-items', word: 'minItems', bound: 'the least number of items', values: 'shorter lists', direction: 1 },
  { id: 'crd.max-items', word: 'maxItems', bound: 'the most items', values: 'longer lists', direction: -1 },
  {
    id: 'crd.min-properties',
    word: 'minProperties',
    bound: 'the least number of fields',
    values: 'smaller objects',
    direction: 1,
  },
  {
    id: 'crd.max-properties',
    word: 'maxProperties',
    bound: 'the most fields',
    values: 'larger objects',
    direction: -1,
  },
]

/** One rule for each word that bounds a length. */
export const lengthRules = lengths.map(({ id, word, bound, values, direction }) =>
  rule({
    id,
    compares: word,
    kinds: boundKinds(bound, values),
    compare: ({ before, after }: NodePair, see) => {
      const [old, now] = [effective(before[word], direction), effective(after[word], direction)]
      const seen = { before: before[word], after: after[word] }
      if (old === now) {
        if (seen.before === undefined && seen.after !== undefined) see('no-effect', seen)
      } else if (old === undefined) see('added', seen)
      else if (now === undefined) see('removed', seen)
      else see(direction * (now - old) > 0 ? 'tightened' : 'relaxed', seen)
    },
  }),
)

/** Nothing is shorter than nothing: a least length of 0 is none. */
function effective(value: unknown, direction: 1 | -1): number | undefined {
  return typeof value === 'number' && (direction === -1 || value > 0) ? value : undefined
}
