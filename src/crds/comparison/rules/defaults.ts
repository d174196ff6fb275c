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
  compare: ({ before, after }: NodePair, see) => {
    const [old, now] = [before['default'], after['default']]
    if (same(old ?? null, now ?? null)) return
    const seen = { before: old, after: now }
    if (old === undefined || old === null) see('added', seen)
    else see(now === undefined || now === null ? 'removed' : 'changed', seen)
  },
})
