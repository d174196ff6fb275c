import { describe, expect, test } from 'vitest'
import { forgettingVersions } from '../../../src/migration/forgotten-managers.ts'
import { definition, object, stored, string, target, version } from './survey-definitions.ts'

const red = { type: 'string', default: 'red' }
const list = (items: unknown) => ({ type: 'array', items })
const map = (values: unknown) => ({ type: 'object', additionalProperties: values })

/** The fields of spec in v1alpha1, and in v1beta1, which is stored. */
const pair = (alpha: Record<string, unknown>, beta: Record<string, unknown>, more: object = {}) =>
  definition({ versions: [version('v1alpha1', {}, alpha), version('v1beta1', stored, beta)], ...more })

describe('managers are forgotten for', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>, boolean]>([
    ['a default that the old version lacks', { a: string }, { a: string, color: red }, true],
    ['no field that nobody fills in', { a: string }, { a: string, color: string }, false],
    ['no default that both have', { color: red }, { color: red }, false],
    ['no default of a field that the old version has too', { color: string }, { color: red }, false],
    ['no field that only the old version fills in', { color: red }, {}, false],
    ['a default in items of a list', { l: list(object({ a: string })) }, { l: list(object({ b: red })) }, true],
    ['a default in values of a map', { m: map(object({ a: string })) }, { m: map(object({ b: red })) }, true],
    ['a default in an object that both have', { o: object({}) }, { o: object({ b: red }) }, true],
    ['no default in an object that only the new version has', {}, { o: object({ b: red }) }, false],
    ['an object that is filled in whole', {}, { o: { ...object({ b: red }), default: {} } }, true],
    ['no default where the old version keeps any key', { m: map(string) }, { m: object({ color: red }) }, false],
    [
      'no default where the old version keeps what it does not know',
      { o: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      { o: object({ color: red }) },
      false,
    ],
  ])('%s', (_, alpha, beta, forgets) => {
    const crd = pair(alpha, beta)
    expect(forgettingVersions(crd, target(crd))).toEqual(forgets ? ['v1alpha1'] : [])
  })

  test('nothing that a webhook converts, nor where nothing is pruned', () => {
    const webhook = { strategy: 'Webhook' as const, webhook: { conversionReviewVersions: ['v1'] } }
    for (const more of [{ conversion: webhook }, { preserveUnknownFields: true }]) {
      const crd = pair({ a: string }, { color: red }, more)
      expect(forgettingVersions(crd, target(crd))).toEqual([])
    }
  })
})
