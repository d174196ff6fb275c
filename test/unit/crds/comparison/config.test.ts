import { expect, test } from 'vitest'
import { compare } from '../../../../src/crds/comparison/compare.ts'
import type { ComparisonConfig, ProfileName } from '../../../../src/crds/comparison/comparison.types.ts'
import { readConfig } from '../../../../src/crds/comparison/config.ts'
import { definition, object, version, webhook } from './definitions.ts'

const reason = 'nobody uses it'
const nothing: ComparisonConfig = { overrides: [], ignore: [] }
const text = { type: 'string' }
const of = (x: object) => version('v1', { spec: object({ x: { ...text, ...x }, y: text }) })
const before = definition([of({ enum: ['a', 'b'] })])
const after = definition([of({ enum: ['b', 'c'], maxLength: 3, pattern: 'b', description: 'x' })])

const readings: [what: string, document: unknown, problems: string[]][] = [
  ['nothing', undefined, []],
  ['an empty file', null, []],
  [
    'all of it',
    { overrides: [{ id: 'crd.enum.*', level: 'none' }], ignore: [{ id: 'x', until: '2026-12-31', reason }] },
    [],
  ],
  [
    "crdify's",
    {
      validations: [{ name: 'enum', enforcement: 'Warn', configuration: { additionPolicy: 'Allow' } }],
      unhandledEnforcement: 'None',
      conversion: 'Ignore',
    },
    [],
  ],
  ['a list', [], ['the configuration is not a map']],
  [
    'another word',
    { ignored: [] },
    ['ignored is not known; known are overrides, ignore, validations, unhandledEnforcement, conversion'],
  ],
  ['no list', { ignore: {} }, ['ignore is not a list']],
  ['no entry', { ignore: ['x'] }, ['ignore[0] is not a map']],
  ['no id and no reason', { ignore: [{}] }, ['ignore[0] has no id', 'ignore[0] has no reason']],
  ['no text', { ignore: [{ id: 1, reason }] }, ['ignore[0].id is not a text']],
  ['no day', { ignore: [{ id: 'x', until: '2026-02-31', reason }] }, ['ignore[0].until is not a day like 2026-12-31']],
  [
    'no level',
    { overrides: [{ id: 'x', level: 'fatal' }] },
    ['overrides[0].level is not one of error, warning, info, none'],
  ],
  [
    'no enforcement',
    { validations: [{ name: 'enum', enforcement: 'Fatal' }] },
    ['validations[0].enforcement is not one of Error, Warn, None'],
  ],
  [
    'a misspelt day',
    { ignore: [{ id: 'x', untill: '2026-12-31', reason }] },
    ['ignore[0].untill is not known; known are id, version, path, until, reason'],
  ],
  [
    'a misspelt place',
    { overrides: [{ id: 'x', verison: 'v1', level: 'info' }] },
    ['overrides[0].verison is not known; known are id, version, path, level'],
  ],
  [
    'an unknown policy',
    { validations: [{ name: 'enum', enforcement: 'Error', configuration: { additionPolicy: 'allow' } }] },
    ['validations[0].configuration.additionPolicy is neither Allow nor Disallow'],
  ],
  ['no conversion', { conversion: 'Maybe' }, ['conversion is neither None nor Ignore']],
  ['no unhandled', { unhandledEnforcement: 'Maybe' }, ['unhandledEnforcement is not one of Error, Warn, None']],
]
test.each(readings)('a configuration of %s', (_, document, problems) => {
  expect(readConfig(document).problems).toEqual(problems)
})

test('a validation that crdify does not have', () => {
  expect(readConfig({ validations: [{ name: 'colour', enforcement: 'Warn' }] }).problems).toEqual([
    expect.stringContaining('validations[0].name is no validation of crdify; known are existingFieldRemoval, scope'),
  ])
})

test('a day that YAML has made a date of', () => {
  const document = { ignore: [{ id: 'x', until: new Date('2026-12-31'), reason }] }
  expect(readConfig(document).config.ignore).toEqual([{ id: 'x', until: '2026-12-31', reason }])
})

function found(document: unknown, profile: ProfileName = 'kubernetes', today = '2026-11-22'): string[] {
  const { config, problems } = readConfig(document)
  expect(problems).toEqual([])
  return compare(before, after, { profile, config, context: { today } }).upgrade.map(
    ({ id, level, ignored }) => `${level} ${id.split('.').slice(1).join('.')}${ignored ? ' ignored' : ''}`,
  )
}
const all = [
  'info documentation.changed',
  'warning enum.value-added',
  'error enum.value-removed',
  'error max-length.added',
  'error pattern.added',
]
const changed = (...changes: [at: number, to: string | undefined][]) =>
  all.flatMap((entry, index) => {
    const change = changes.find(([at]) => at === index)
    return change === undefined ? [entry] : change[1] === undefined ? [] : [change[1]]
  })

const effects: [what: string, document: object, expected: string[], profile?: ProfileName, today?: string][] = [
  ['nothing', {}, all],
  ['a level', { overrides: [{ id: 'crd.pattern.added', level: 'warning' }] }, changed([4, 'warning pattern.added'])],
  ['a level of many', { overrides: [{ id: 'crd.enum.*', level: 'none' }] }, changed([1, undefined], [2, undefined])],
  [
    'a level at a path',
    { overrides: [{ id: '*', path: '^.spec.x', level: 'info' }] },
    all.map((entry) => entry.replace(/^\w+/, 'info')),
  ],
  ['a level at another path', { overrides: [{ id: '*', path: '^.spec.y', level: 'info' }] }, all],
  ['a level of another version', { overrides: [{ id: '*', version: 'v2', level: 'info' }] }, all],
  [
    'an ignore',
    { ignore: [{ id: 'crd.pattern.*', version: 'v1', path: '^.spec*', reason }] },
    changed([4, 'info pattern.added ignored']),
  ],
  [
    'an ignore on its last day',
    { ignore: [{ id: 'crd.pattern.*', until: '2026-11-22', reason }] },
    changed([4, 'info pattern.added ignored']),
  ],
  [
    'an ignore that is over',
    { ignore: [{ id: 'crd.pattern.*', until: '2026-11-22', reason }] },
    all,
    'kubernetes',
    '2026-11-23',
  ],
  [
    'a validation that warns',
    { validations: [{ name: 'maxLength', enforcement: 'Warn' }] },
    changed([3, 'warning max-length.added']),
  ],
  [
    'a validation that is off',
    { validations: [{ name: 'enum', enforcement: 'None' }] },
    changed([1, undefined], [2, undefined]),
  ],
  [
    'values may be added',
    { validations: [{ name: 'enum', enforcement: 'Error', configuration: { additionPolicy: 'Allow' } }] },
    changed([1, undefined]),
  ],
  ['unhandled', { unhandledEnforcement: 'None' }, changed([4, undefined])],
  ['strict', {}, ['error description', 'error enum', 'error maxLength', 'error unhandled'], 'strict'],
  [
    "strict with crdify's configuration",
    {
      validations: [
        { name: 'enum', enforcement: 'Warn' },
        { name: 'description', enforcement: 'None' },
      ],
      unhandledEnforcement: 'Warn',
    },
    ['warning enum', 'error maxLength', 'warning unhandled'],
    'strict',
  ],
  ['olm', {}, ['error enum', 'error maxLength', 'error unhandled'], 'olm'],
]
test.each(effects)('%s', (_, document, expected, profile, today) => {
  expect(found(document, profile, today)).toEqual(expected)
})

test('conversion: Ignore leaves out versions that a webhook converts, in every profile', () => {
  const versions = [of({}), version('v2', { spec: object({ x: { ...text, maxLength: 3 } }) })]
  const pairs = (config: ComparisonConfig, profile: ProfileName) =>
    compare(definition([of({})]), definition(versions, { conversion: webhook }), {
      profile,
      config,
      context: { today: '2026-11-22' },
    }).upgrade.filter(({ scope }) => scope === 'served-pair').length
  const ignoring = readConfig({ conversion: 'Ignore' }).config
  expect([pairs(nothing, 'kubernetes'), pairs(ignoring, 'kubernetes')]).toEqual([2, 0])
  expect([pairs(nothing, 'strict') > 0, pairs(ignoring, 'strict')]).toEqual([true, 0])
})
