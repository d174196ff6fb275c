/** allOf, anyOf, oneOf and not. Their branches are compared as sets: a branch that moves says nothing. */
import type { JSONSchema } from '../comparison.types.ts'
import { breaks, rule, tells, warns } from '../rule.ts'
import type { NodePair } from '../rule.types.ts'
import { isSchema, listOf, shapeOf } from '../schema-reading.ts'

type Word = 'allOf' | 'anyOf' | 'oneOf'

const stuck = 'are refused, and stored objects that hold one cannot be written any more.'

/** Generated schemas write int-or-string a second time as these two branches, which say nothing new. */
const intOrString = new Set(['{"type":"integer"}', '{"type":"string"}'])
const isIntOrString = (shapes: readonly string[]) =>
  shapes.length === intOrString.size && shapes.every((shape) => intOrString.has(shape))

/** The branches that restrict, by their shapes. */
function branchesOf(schema: JSONSchema, word: Word): ReadonlyMap<string, unknown> {
  const shapes = listOf(schema[word]).map((branch) => [shapeOf(branch), branch] as const)
  const branches = new Map<string, unknown>(shapes)
  const known = schema['x-kubernetes-int-or-string'] === true
  if (word === 'allOf') {
    for (const [shape, branch] of branches) {
      if (shape === '{}' || (known && isIntOrStringBranch(branch))) branches.delete(shape)
    }
    return branches
  }
  // What fits a branch of oneOf that is there twice fits two: such a branch accepts nothing.
  if (word === 'oneOf' && branches.size < shapes.length) {
    for (const shape of twice(shapes.map(([each]) => each))) branches.delete(shape)
    branches.set(NOTHING, undefined)
  }
  // A branch of anyOf that accepts everything makes all others mute.
  if (word === 'anyOf' && (branches.has('{}') || (known && isIntOrString([...branches.keys()])))) return new Map()
  return branches
}

/** Stands for branches that accept nothing: they are there, but neither missed nor met. */
const NOTHING = ''

const twice = (shapes: readonly string[]): string[] => shapes.filter((shape, index) => shapes.indexOf(shape) < index)

function isIntOrStringBranch(branch: unknown): boolean {
  return isSchema(branch) && Object.keys(branch).length === 1 && isIntOrString(listOf(branch['anyOf']).map(shapeOf))
}

function differences({ before, after }: NodePair, word: Word) {
  const [old, now] = [branchesOf(before, word), branchesOf(after, word)]
  return {
    hadNone: old.size === 0,
    hasNone: now.size === 0,
    gone: [...old].filter(([shape]) => shape !== NOTHING && !now.has(shape)).map(([, branch]) => branch),
    added: [...now].filter(([shape]) => shape !== NOTHING && !old.has(shape)).map(([, branch]) => branch),
  }
}

export const allOf = rule({
  id: 'crd.all-of',
  compares: 'allOf: conditions that all hold',
  kinds: {
    'branch-added': breaks(
      ['writer', 'stored'],
      'one more condition must hold',
      `Values that do not fulfil it ${stuck}`,
      'Look with --live whether every object fulfils it; else restrict the field in a new version.',
    ),
    'branch-removed': tells(
      ['reader'],
      'a condition need not hold any more',
      'Clients see values that it kept away.',
      'Going back needs values that fulfil it.',
    ),
  },
  compare: (pair: NodePair, see) => {
    const { gone, added } = differences(pair, 'allOf')
    for (const branch of added) see('branch-added', { after: branch })
    for (const branch of gone) see('branch-removed', { before: branch })
  },
})

const alternatives = (word: 'anyOf' | 'oneOf', id: string, branchAdded: ReturnType<typeof warns>) =>
  rule({
    id,
    compares: `${word}: alternatives, as a set`,
    kinds: {
      added: breaks(
        ['writer', 'stored'],
        'alternatives are new where anything was accepted',
        `Values that fit none of them ${stuck}`,
        'Look with --live whether every object fits; else restrict the field in a new version.',
      ),
      'branch-removed': breaks(
        ['writer', 'stored'],
        'an alternative is gone or has changed',
        `Values that fitted just this one ${stuck}`,
        'Keep the alternative, or look with --live whether an object needs it.',
      ),
      'branch-added': branchAdded,
      removed: tells(
        ['reader'],
        'nothing must fit alternatives any more',
        'Clients see values that they kept away.',
        'Going back needs values that fit.',
      ),
    },
    compare: (pair: NodePair, see) => {
      const { hadNone, hasNone, gone, added } = differences(pair, word)
      if (hadNone && !hasNone) see('added', { after: pair.after[word] })
      else if (!hadNone && hasNone) see('removed', { before: pair.before[word] })
      else {
        for (const branch of gone) see('branch-removed', { before: branch })
        for (const branch of added) see('branch-added', { after: branch })
      }
    },
  })

export const anyOf = alternatives(
  'anyOf',
  'crd.any-of',
  tells(
    ['reader'],
    'one more alternative is accepted',
    'Clients see values that no alternative allowed.',
    'Going back needs values that fit the old ones.',
  ),
)

export const oneOf = alternatives(
  'oneOf',
  'crd.one-of',
  warns(
    ['writer', 'reader', 'stored'],
    'one more alternative counts',
    'Values that fit the new alternative alone are accepted. But exactly one must fit: values that fit an old one and the new one are refused now.',
    'See that no value fits both, or look with --live.',
  ),
)

export const not = rule({
  id: 'crd.not',
  compares: 'not: what a value must not be',
  kinds: {
    added: breaks(
      ['writer', 'stored'],
      'some values are excluded now',
      `These values ${stuck}`,
      'Look with --live whether an object holds one.',
    ),
    changed: breaks(
      ['writer', 'stored'],
      'other values are excluded now',
      `Values that are excluded now and were not ${stuck}`,
      'Look with --live whether an object holds one.',
    ),
    removed: tells(
      ['reader'],
      'no values are excluded any more',
      'Clients see values that were excluded.',
      'Going back needs objects without them.',
    ),
  },
  compare: ({ before, after }: NodePair, see) => {
    const [old, now] = [before['not'], after['not']]
    if (old === undefined && now === undefined) return
    const seen = { before: old, after: now }
    if (old === undefined) see('added', seen)
    else if (now === undefined) see('removed', seen)
    else if (shapeOf(old) !== shapeOf(now)) see('changed', seen)
  },
})
