import { describe, expect, test } from 'vitest'
import { definition } from './definitions.ts'
import {
  type Definition,
  documented,
  filled,
  found,
  narrow,
  optional,
  plain,
  removed,
  spec,
  text,
  v,
  withHook,
  within,
} from './policy-lines.ts'

describe('strict and olm', () => {
  const cases: [what: string, Definition, Definition, strict: string[], lenient: string[]][] = [
    ['description', ...within('v1', plain, documented), ['error crdify.description'], []],
    [
      'enum value added',
      ...within('v1', spec({ x: { ...text, enum: ['a'] } }), spec({ x: { ...text, enum: ['a', 'b'] } })),
      ['error crdify.enum'],
      [],
    ],
    [
      'enum dropped',
      ...within('v1', spec({ x: { ...text, enum: ['a'] } }), plain),
      ['error crdify.enum'],
      ['error crdify.enum'],
    ],
    ['limit', ...within('v1', plain, narrow), ['error crdify.maxLength'], ['error crdify.maxLength']],
    [
      'pattern',
      ...within('v1', plain, spec({ x: { ...text, pattern: 'a' } })),
      ['error crdify.unhandled'],
      ['error crdify.unhandled'],
    ],
    [
      'required, in spite of a default',
      ...within('v1', plain, filled),
      ['error crdify.required'],
      ['error crdify.required'],
    ],
    [
      'removed',
      ...within('v1', plain, removed),
      ['error crdify.existingFieldRemoval', 'error crdify.type'],
      ['error crdify.existingFieldRemoval', 'error crdify.type'],
    ],
    ['a new field', ...within('v1', plain, optional), [], []],
    ['a version that is gone', definition([v('v1', plain), v('v2', plain)]), definition([v('v1', plain)]), [], []],
    [
      'versions that a webhook converts',
      definition([v('v1', plain)]),
      definition([v('v1', plain), v('v2', narrow)], withHook),
      ['error crdify.maxLength'],
      [],
    ],
    [
      'scope',
      definition([v('v1', plain)]),
      definition([v('v1', plain)], { scope: 'Cluster' }),
      ['error crdify.scope'],
      ['error crdify.scope'],
    ],
    [
      'stored versions',
      { ...definition([v('v1', plain), v('v2', plain)]), status: { storedVersions: ['v2'] } },
      definition([v('v1', plain)]),
      ['error crdify.storedVersionRemoval'],
      ['error crdify.storedVersionRemoval'],
    ],
  ]
  test.each(cases)('%s', (_, before, after, strict, lenient) => {
    expect(found('strict', before, after, '')).toEqual(strict)
    expect(found('olm', before, after, '')).toEqual(lenient)
  })
})
