/** Which texts a node accepts: patterns, and the formats that an API server knows. */
import type { JSONSchema } from '../comparison.types.ts'
import { breaks, rule, tells, warns } from '../rule.ts'
import type { NodePair } from '../rule.types.ts'

export const pattern = rule({
  id: 'crd.pattern',
  compares: 'the pattern of a text',
  kinds: {
    added: breaks(
      ['writer', 'stored'],
      'texts must match a pattern now',
      'Others are refused, and stored objects that hold one cannot be written any more.',
      'Look with --live whether every object matches; else restrict the field in a new version.',
    ),
    changed: breaks(
      ['writer', 'stored'],
      'texts must match another pattern',
      'No program can tell in general whether the new pattern accepts all that the old one did.',
      'Look with --live whether every object matches, and accept the finding if the new pattern is wider.',
    ),
    removed: tells(
      ['reader'],
      'texts may be anything now',
      'Clients see texts that the pattern kept away.',
      'Going back needs texts that match.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const seen = { before: before['pattern'] || undefined, after: after['pattern'] || undefined }
    if (seen.before === seen.after) return
    if (seen.before === undefined) see('added', seen)
    else see(seen.after === undefined ? 'removed' : 'changed', seen)
  },
})

/** The formats that the API server checks, without their hyphens, which it ignores. Others it takes and ignores. */
const enforced = new Set(
  (
    'bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn isbn10 isbn13 creditcard ssn ' +
    'hexcolor rgbcolor byte password date duration datetime k8sshortname k8slongname'
  ).split(' '),
)

/** It accepts every text. */
const accepting = 'password'

function formatOf(schema: JSONSchema): string {
  const format = schema['format']
  const name = typeof format === 'string' ? format.replaceAll('-', '') : ''
  return enforced.has(name) && name !== accepting ? name : ''
}

/** How many bits of a number clients are told to expect. */
const bits: Readonly<Record<string, number>> = { int32: 32, int64: 64, float: 32, double: 64 }
const bitsOf = (schema: JSONSchema) => bits[typeof schema['format'] === 'string' ? schema['format'] : '']

/** The formats of numbers that newer API servers check (not yet 1.30). */
const isChecked = ({ type, format: name }: JSONSchema) =>
  (type === 'integer' && name === 'int32') || (type === 'number' && name === 'float')

const refusing = { level: 'error', audiences: ['writer', 'reader', 'stored'] } as const

export const format = rule({
  id: 'crd.format',
  compares: 'the format of a text or number',
  kinds: {
    added: breaks(
      ['writer', 'stored'],
      'texts must have a format now',
      'The API server checks this format: other texts are refused, and stored objects that hold one cannot be written.',
      'Look with --live whether every object has it; else restrict the field in a new version.',
    ),
    changed: breaks(
      ['writer', 'stored'],
      'texts must have another format',
      'The API server checks this format: texts of the old one are refused.',
      'Add a field beside the old one, or make the change in a new version with a conversion webhook.',
    ),
    removed: tells(
      ['reader'],
      'texts need no format any more',
      'Clients see texts that the format kept away.',
      'Going back needs texts of the format.',
    ),
    'wider-number': warns(
      ['reader'],
      'numbers may need more bits',
      'The API server does not check this format, but clients built by it fail to decode numbers that do not fit.',
      'Release clients that read the wider number first.',
    ),
    'narrower-number': warns(
      ['reader', 'stored'],
      'clients are told to expect fewer bits',
      'Clients built by it fail to decode numbers that do not fit, and an API server of this time refuses them: int32 of whole numbers, float of others.',
      'Keep the wider number, or look with --live how large the numbers are.',
    ),
    unenforced: tells(
      [],
      'a format that is not checked has changed',
      'The API server takes such formats and ignores them.',
      'Nothing to do.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const seen = { before: before['format'] || undefined, after: after['format'] || undefined }
    if (seen.before === seen.after) return
    const [old, now] = [formatOf(before), formatOf(after)]
    if (old !== now) {
      if (old === '') see('added', seen)
      else see(now === '' ? 'removed' : 'changed', seen)
      return
    }
    const difference = (bitsOf(after) ?? 64) - (bitsOf(before) ?? 64)
    if (difference === 0) see('unenforced', seen)
    else if (difference > 0) see('wider-number', seen)
    else see('narrower-number', isChecked(after) ? { ...seen, ...refusing } : seen)
  },
})
