/** What a schema tells its readers, and words that no schema of a CustomResourceDefinition should have. */
import { breaks, rule, tells, warns } from '../rule.ts'
import type { NodePair } from '../rule.types.ts'
import { compareTexts, documentationWords, same } from '../schema-reading.ts'

export const documentation = rule({
  id: 'crd.documentation',
  compares: 'description, title, example and externalDocs',
  kinds: {
    changed: tells(
      [],
      'the documentation has changed',
      'Nothing is accepted, kept or shown otherwise. Whether the field means the same is for people to say.',
      'Read it.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    for (const word of documentationWords) {
      if (same(before[word] ?? '', after[word] ?? '')) continue
      see('changed', { before: excerpt(before[word]), after: excerpt(after[word]) })
      return
    }
  },
})

const longest = 160

function excerpt(value: unknown): unknown {
  return typeof value === 'string' && value.length > longest ? `${value.slice(0, longest)}…` : value
}

/** Every word that another rule compares, or that says nothing by itself. */
const known = new Set([
  ...documentationWords,
  ...'type nullable enum default required properties items additionalProperties'.split(' '),
  ...'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf pattern format'.split(' '),
  ...'minLength maxLength minItems maxItems minProperties maxProperties'.split(' '),
  ...'allOf anyOf oneOf not x-kubernetes-validations'.split(' '),
  ...'preserve-unknown-fields int-or-string embedded-resource list-type list-map-keys map-type'
    .split(' ')
    .map((name) => `x-kubernetes-${name}`),
])

/** Words of JSON Schema that the API server reads, and refuses a definition for. */
const refused = new Set(
  '$ref $schema id definitions dependencies patternProperties additionalItems uniqueItems'.split(' '),
)

export const keyword = rule({
  id: 'crd.keyword',
  compares: 'words that no other rule knows',
  kinds: {
    changed: breaks(
      ['writer', 'stored'],
      'a word that no definition may have has changed',
      'The API server refuses definitions that have it, or give it this value.',
      'Take it out of the schema.',
    ),
    unknown: warns(
      ['writer', 'stored'],
      'a word that is not understood has changed',
      'No rule here knows what it means. An API server that does not know it either drops it from the definition.',
      'Look whether it is a slip of the pen, or a word of a newer Kubernetes.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const words = new Set([...Object.keys(before), ...Object.keys(after)].filter((word) => !known.has(word)))
    for (const word of [...words].toSorted(compareTexts)) {
      // False is what a word says that is not there.
      if (same(before[word] || null, after[word] || null)) continue
      const kind = refused.has(word) ? 'changed' : 'unknown'
      see(kind, { before: { [word]: before[word] }, after: { [word]: after[word] } })
    }
  },
})
