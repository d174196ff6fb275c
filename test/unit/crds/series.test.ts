import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { compare, compareAdded } from '../../../src/crds/comparison/compare.ts'
import type {
  ComparisonContext,
  Finding,
  Level,
  ProfileName,
  ReleasedDefinition,
} from '../../../src/crds/comparison/comparison.types.ts'
import { profiles } from '../../../src/crds/comparison/profiles.ts'
import type { CustomResourceDefinition } from '../../../src/kubernetes/objects.ts'
import { type PolicyDocument, policyLines } from './comparison/policy-documents.ts'

const root = fileURLToPath(new URL('../../../examples/crds/', import.meta.url))
const read = (...path: string[]) => parse(readFileSync(join(root, ...path), 'utf8')) as CustomResourceDefinition
const namesIn = (...path: string[]) =>
  existsSync(join(root, ...path))
    ? readdirSync(join(root, ...path)).toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true }))
    : []
const notesIn = (...path: string[]) => {
  const file = join(root, ...path, 'release-notes.md')
  return existsSync(file) ? { releaseNotes: readFileSync(file, 'utf8') } : {}
}

const today = { today: '2026-11-22' }
const releases = namesIn('follows')
const series = releases.map(
  (release): ReleasedDefinition => ({ release, definition: read('follows', release, 'crd.yaml') }),
)
const samples = namesIn('breaks')

/** What the profile finds in one release of the series, with all that was released before it. */
function step(index: number): Finding[] {
  const [before, after] = [series[index - 1], series[index]]
  if (after === undefined) throw new Error('the series is shorter than its test')
  const { release, definition } = after
  if (before === undefined) return compareAdded(definition, { profile: 'ngf', context: today }).upgrade
  const context = { ...today, release, history: series.slice(0, index), ...notesIn('follows', release) }
  return compare(before.definition, definition, { profile: 'ngf', context }).upgrade
}

const ofPolicy = (findings: readonly Finding[], level: Level) =>
  findings.filter((finding) => finding.level === level && !finding.id.startsWith('crd.')).map(({ id }) => id)

describe('a series that follows the policy of NGINX Gateway Fabric to the letter', () => {
  test('it is long enough to show all of it', () => expect(releases).toHaveLength(18))

  test.each(releases.map((release, index) => [release, index] as const))('%s: no error', (_, index) => {
    expect(step(index).filter(({ level }) => level === 'error')).toEqual([])
  })

  const told: [release: string, level: Level, ids: string[]][] = [
    ['v1.0.0', 'warning', []],
    ['v1.1.0', 'warning', []],
    ['v1.2.0', 'warning', []],
    ['v1.5.0', 'warning', []],
    ['v1.6.0', 'warning', []],
    ['v1.7.0', 'warning', []],
    ['v1.7.0', 'info', ['ngf.new-version.breaking-by-hand']],
    ['v1.8.0', 'warning', ['ngf.within-version.alpha-breaking']],
    ['v1.10.0', 'warning', []],
    ['v1.12.0', 'warning', []],
    ['v1.12.0', 'info', []],
    ['v1.17.0', 'warning', []],
  ]
  test.each(told)('%s: %s of the policy: %s', (release, level, ids) => {
    expect(ofPolicy(step(releases.indexOf(release)), level)).toEqual(ids)
  })

  test('without the release notes, or without what was before, the same release is warned about', () => {
    const [before, after] = [series[6]?.definition, series[7]?.definition]
    if (before === undefined || after === undefined) throw new Error('the series is shorter than its test')
    const found = (context: Partial<ComparisonContext>) =>
      ofPolicy(compare(before, after, { profile: 'ngf', context: { ...today, ...context } }).upgrade, 'warning')
    const notes = notesIn('follows', 'v1.7.0')
    expect(found({ history: series.slice(0, 7) })).toEqual(['ngf.new-version.breaking-not-announced'])
    expect(found({ history: series.slice(2, 6), ...notes })).toEqual(['ngf.removed-field.removed-too-early'])
  })

  test('no release may be left out', () => {
    const withdrawn = [5, 10, 15].map((index) => {
      const [before, after] = [series[index - 1], series[index]]
      if (before === undefined || after === undefined) throw new Error('the series is shorter than its test')
      const history = series.slice(0, index - 1)
      const context = { ...today, history }
      return compare(before.definition, after.definition, { profile: 'ngf', context })
        .upgrade.filter(({ level }) => level === 'error')
        .map(({ id, after: earliest }) => [id, earliest])
    })
    const early = (release: string) => [['ngf.deprecation.removed-too-early', release]]
    expect(withdrawn).toEqual([early('v1.5.0'), early('v1.10.0'), early('v1.15.0')])
  })
})

describe('the sample releases follow the policy of AI Runway', () => {
  const definitionsOf = (release: string) =>
    parseAllDocuments(readFileSync(join(root, '../releases', release, 'manifests/install.yaml'), 'utf8'))
      .map((document) => document.toJS() as CustomResourceDefinition | null)
      .filter((object) => object?.kind === 'CustomResourceDefinition')
      .flatMap((object) => object ?? [])
  // They store objects in the version that they add, at once: no policy forbids it, but it cannot be gone back from.
  const moved = (version: string) => Array.from({ length: 2 }, () => `crd.storage.moved-to-new-version ${version}`)
  const steps: [from: string, to: string, errors: string[]][] = [
    ['v0.1.0', 'v0.2.0', moved('v1beta1')],
    ['v0.2.0', 'v0.3.0', []],
    ['v0.3.0', 'v0.4.0', []],
    ['v0.4.0', 'v0.5.0', moved('v1')],
  ]
  test.each(steps)('%s to %s', (from, to, errors) => {
    const [old, now] = [definitionsOf(from), definitionsOf(to)]
    const found = old.flatMap((before) => {
      const after = now.find(({ metadata }) => metadata.name === before.metadata.name)
      if (after === undefined) throw new Error(`${to} has no ${before.metadata.name}`)
      return compare(before, after, { profile: 'kubeairunway', context: today }).upgrade
    })
    expect(old).toHaveLength(2)
    expect(found.filter(({ level }) => level === 'error').map(({ id, version }) => `${id} ${version}`)).toEqual(errors)
  })
})

/** What a sample breaks, from the files in its folder. */
function broken(id: string): Finding[] {
  const profile = profileOf(id)
  const names = namesIn('breaks', id)
  const after = read('breaks', id, 'after.yaml')
  if (!names.includes('before.yaml')) return compareAdded(after, { profile, context: today }).upgrade
  const history = namesIn('breaks', id, 'history').map((file) => ({
    release: file.replace(/\.yaml$/, ''),
    definition: read('breaks', id, 'history', file),
  }))
  const context = {
    ...today,
    ...notesIn('breaks', id),
    ...(history.length > 0 && { history }),
    ...(names.includes('installed.yaml') && { installed: read('breaks', id, 'installed.yaml') }),
  }
  return compare(read('breaks', id, 'before.yaml'), after, { profile, context }).upgrade
}

function profileOf(id: string): ProfileName {
  return id.startsWith('kubeairunway.') ? 'kubeairunway' : 'ngf'
}

/** Said of every breaking change that is announced as the policy asks: no rule is broken. */
const isBroken = (id: string) => id !== 'ngf.new-version.breaking-by-hand'

const levels: readonly Level[] = ['error', 'warning', 'info']

describe('samples that break one rule each', () => {
  test.each(samples)('%s, and of the policy nothing else as heavy', (id) => {
    const findings = broken(id)
    const level = levels.find((candidate) => ofPolicy(findings, candidate).length > 0) ?? 'info'
    expect(ofPolicy(findings, level).filter(isBroken)).toEqual([id])
  })

  test('each kind of finding of both policies has its sample, or its release in the series', () => {
    const kinds = (['ngf', 'kubeairunway'] as const).flatMap((name) =>
      [...profiles[name].policies, ...profiles[name].policiesForNew].flatMap((rule) =>
        Object.keys(rule.kinds).map((kind) => `${rule.id}.${kind}`),
      ),
    )
    const inSeries = new Set(series.flatMap((_, index) => step(index).map(({ id }) => id)))
    expect(kinds.filter((id) => !samples.includes(id) && !inSeries.has(id))).toEqual([])
    expect(samples.filter((id) => !kinds.includes(id))).toEqual([])
  })
})

describe.each(Object.entries(policyLines) as [PolicyDocument, (typeof policyLines)[PolicyDocument]][])(
  'each line of the policy of %s',
  (_, lines) => {
    test.each(lines)('%s', (_line, follows, breaks) => {
      expect(follows.length + breaks.length).toBeGreaterThan(0)
      for (const release of follows)
        expect(existsSync(fileURLToPath(new URL(`../../../examples/${release}`, import.meta.url)))).toBe(true)
      for (const id of breaks) expect(samples).toContain(id)
    })
  },
)
