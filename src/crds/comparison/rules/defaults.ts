/** What the API server fills in. Defaults are compared as JSON: `1.0` is `1`, and the order of keys says nothing. */
import type { JSONSchema, PathElement } from '../comparison.types.ts'
import { breaks, rule, warns } from '../rule.ts'
import type { NodePair } from '../rule.types.ts'
import { same } from '../schema-reading.ts'
import { isRefusedFor } from './presence.ts'

/** The object around may not have the field beside others: what lacked it is refused now. */
const refusing = { level: 'error', audiences: ['writer', 'reader', 'stored'] } as const

function isRefusedAt(path: readonly PathElement[], around: JSONSchema | undefined): boolean {
  const last = path.at(-1)
  return around !== undefined && typeof last === 'object' && isRefusedFor(last.property, around)
}

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
  compare: ({ before, after, path, required, around }: NodePair, see) => {
    const [old, now] = [before['default'], after['default']]
    if (same(old ?? null, now ?? null)) return
    const seen = { before: old, after: now }
    if (old === undefined || old === null) {
      // No valid object lacks what had to be there: the default just lets it be left out from now on.
      if (required?.before === true) see('added', { ...seen, level: 'info', audiences: [] })
      else see('added', isRefusedAt(path, around?.after) ? { ...seen, ...refusing } : seen)
    } else if (now === undefined || now === null) {
      // It was never missing for a reader, but whoever left it out is refused now.
      see('removed', required?.before && required.after ? { ...seen, audiences: ['writer', 'stored'] } : seen)
    } else see('changed', seen)
  },
})
