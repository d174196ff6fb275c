import { describe, expect, test } from 'vitest'
import {
  fitMinimum,
  fitMinor,
  fitRange,
  parseCompatibility,
  pickCompatibility,
} from '../../../src/releases/compatibility.ts'
import { ReleaseError } from '../../../src/releases/errors.ts'
import type { Compatibility } from '../../../src/releases/release.types.ts'

describe('fit', () => {
  test.each<[number, string, string]>([
    [25, '1.26-1.30', 'below'],
    [26, '1.26-1.30', 'within'],
    [30, '1.26-1.30', 'within'],
    [31, '1.26-1.30', 'above'],
    [30, '1.26 - 1.30', 'within'],
    [31, '1.26 - 1.30', 'above'],
    [30, '>=1.30', 'within'],
    [29, '>=1.30', 'below'],
    [31, '1.30', 'above'],
    [28, '1.26 - 1.27 || 1.30 - 1.31', 'outside'],
    [28, 'whatever', 'unknown'],
  ])('Kubernetes 1.%d in %s is %s', (minor, range, fit) => {
    expect(fitMinor(1, minor, range)).toBe(fit)
  })

  test.each<[string, string, string]>([
    ['0.3.0', 'v0.3.x', 'within'],
    ['v0.3.9', 'v0.3.x', 'within'],
    ['0.2.9', 'v0.3.x', 'below'],
    ['0.4.0', 'v0.3.x', 'above'],
    ['0.9.0-fix', '>=0.9.0', 'within'],
    ['0.10.0-20261101', '>=0.10.0', 'within'],
    ['0.10.0-rc.1', '>=0.10.0', 'below'],
    ['25.10.1', '>=24.9', 'within'],
    ['latest', '>=0.9.0', 'unknown'],
    ['0.9', '>=0.9.0', 'unknown'],
  ])('%s in %s is %s', (version, range, fit) => {
    expect(fitRange(version, range)).toBe(fit)
  })

  test.each<[string, string, string]>([
    ['0.4.5', 'v0.4.5', 'within'],
    ['0.4.4', '0.4.5', 'below'],
    ['1.10.0', 'v1.9.0', 'within'],
    ['0.9.0-fix', '0.9.0', 'within'],
  ])('%s with minimum %s is %s', (version, minimum, fit) => {
    expect(fitMinimum(version, minimum)).toBe(fit)
  })
})

describe('pickCompatibility', () => {
  const source = (name: string, controller: string, minimum: string): Compatibility => ({
    source: name,
    rows: [{ controller, kubernetes: '1.30 - 1.36' }],
    providers: [{ provider: 'kaito', minimum, crdApiVersion: 'kaito.sh/v1beta1' }],
  })
  const policy: Compatibility = {
    source: 'policy',
    rows: [{ controller: '0.1.x' }],
    providers: [
      { provider: 'kaito', minimum: 'v0.3.0', crdApiVersion: 'kaito.sh/v1beta1' },
      { provider: 'kuberay', minimum: 'v1.1.0', crdApiVersion: 'ray.io/v1' },
    ],
  }

  test('the first source goes before the others, also for one provider only', () => {
    const picked = pickCompatibility('v0.2.0', [
      source('file', '0.2.x', '0.5.0'),
      source('release', '0.2.x', '0.4.5'),
      policy,
    ])
    expect(picked.row?.source).toBe('file')
    expect(
      picked.providers.map(({ minimum, source: from }) => `${minimum.provider} ${minimum.minimum} ${from}`),
    ).toEqual(['kaito 0.5.0 file', 'kuberay v1.1.0 policy'])
  })

  test.each<[string, string | undefined]>([
    ['v0.1.0', 'policy'],
    ['v0.2.0', 'release'],
    ['v0.2.0-lossy', 'release'],
    ['v0.3.0', undefined],
  ])('row for %s comes from %s', (version, from) => {
    expect(pickCompatibility(version, [source('release', '0.2.x', '0.4.5'), policy]).row?.source).toBe(from)
  })
})

describe('parseCompatibility', () => {
  test('reads rows and providers, at the top or below `compatibility`', () => {
    const yaml = 'rows:\n- controller: v0.1.x\n  kubernetes: 1.26-1.30\n  operators: {kaito: v0.3.x}\nproviders: []\n'
    const rows = [{ controller: 'v0.1.x', kubernetes: '1.26-1.30', operators: { kaito: 'v0.3.x' } }]
    expect(parseCompatibility(yaml, 'x')).toEqual({ source: 'x', rows, providers: [] })
    const below = `compatibility:\n${yaml.replace(/^/gm, '  ')}`
    expect(parseCompatibility(below, 'x').rows).toEqual(rows)
  })

  const row = (fields: string) => `rows: [{${fields}}]`
  test.each<[string, string, string]>([
    ['no YAML', '{', 'Flow map'],
    ['a list', '[]', 'YAML mapping'],
    ['nothing of use', 'asOf: today', 'neither'],
    ['rows not a list', 'rows: {}', '`rows` has to be a list'],
    ['no controller', row('kubernetes: ">=1.30"'), 'rows[0].controller is missing'],
    ['a number', row('controller: 0.1.x, kubernetes: 1.30'), 'rows[0].kubernetes has to be quoted'],
    ['no range', row('controller: soon'), 'rows[0].controller "soon" is not a range'],
    ['swapped ends', row('controller: 0.1.x, kubernetes: "1.36 - 1.30"'), '"1.36 - 1.30" is a range that holds no'],
    ['swapped ends, the policy way', row('controller: 0.1.x, kubernetes: 1.36-1.30'), 'are its ends swapped?'],
    ['one swapped part', row('controller: "0.1.x || >=0.4 <0.3"'), 'rows[0].controller ">=0.4 <0.3"'],
    ['a misspelt key', row('controller: 0.1.x, kubernets: ">=1.30"'), 'rows[0] has no field "kubernets"'],
    ['a bad operator range', row('controller: 0.1.x, operators: {kaito: new}'), 'rows[0].operators.kaito "new"'],
    ['a bad minimum', 'providers: [{provider: kaito, minimum: v0.3, crdApiVersion: kaito.sh/v1}]', 'is not a version'],
    ['no CRD version', 'providers: [{provider: kaito, minimum: v0.3.0}]', 'providers[0].crdApiVersion is missing'],
  ])('%s is refused with the entry', (_name, yaml, why) => {
    let error: unknown
    try {
      parseCompatibility(yaml, '--compatibility x.yaml')
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(ReleaseError)
    expect(error).toMatchObject({
      kind: 'bad-compatibility',
      message: 'the compatibility data of --compatibility x.yaml cannot be used',
      why: expect.stringContaining(why) as string,
    })
  })
})
