/** What the API server fills in. Defaults are compared as JSON: `1.0` is `1`, and the order of keys says nothing. */
import { breaks, rule, warns } from '../rule.ts'
import type { NodePair } from '../rule.types.ts'
import { same } from '../schema-reading.ts'

export const defaults = rule({
  id: 'crd.default',
  compares: 'the default of a field that was there before',
  kinds: {
    added: warns(
      ['reader', 'stored'],
      'the field has a default now',
      'Every stored object without the field shows the value from the next read on, and gets it with the next write.',
      'See that the value means what the absence meant.',
    ),
    changed: breaks(
      ['reader', 'stored'],
      'the default is another one',
      'Who left the field out gets another behaviour without a word, but objects that were written keep the old value: the same manifest means two things.',
      'Change the default in a new version only.',
    ),
    removed: breaks(
      ['reader', 'stored'],
      'the default is gone',
      'Who left the field out gets nothing where there was a value, but objects that were written keep it.',
      'Keep the default in this version.',
    ),
  },
  compare: ({ before, after, required }: NodePair, see) => {
    const [old, now] = [before['default'], after['default']]
    if (same(old ?? null, now ?? null)) return
    const seen = { before: old, after: now }
    if (old === undefined || old === null) {
      // No valid object lacks what had to be there: the default just lets it be left out from now on.
      see('added', required?.before === true ? { ...seen, level: 'info', audiences: [] } : seen)
    } else if (now === undefined || now === null) {
      // It was never missing for a reader, but whoever left it out is refused now.
      see('removed', required?.before && required.after ? { ...seen, audiences: ['writer', 'stored'] } : seen)
    } else see('changed', seen)
  },
})
