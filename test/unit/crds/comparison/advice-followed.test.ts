import { expect, test } from 'vitest'
import { adviseNext } from '../../../../src/crds/comparison/advice.ts'
import type { Advice } from '../../../../src/crds/comparison/advice.types.ts'
import { compare } from '../../../../src/crds/comparison/compare.ts'
import type {
  ComparisonConfig,
  ComparisonContext,
  ProfileName,
  ReleasedDefinition,
} from '../../../../src/crds/comparison/comparison.types.ts'
import type { CustomResourceDefinitionVersion } from '../../../../src/kubernetes/objects.ts'
import { adviceCases } from './advice-cases.ts'
import { today, version as versionOf, webhook } from './definitions.ts'
import type { Definition } from './policy-lines.ts'

type Version = CustomResourceDefinitionVersion
type Act = (crd: Definition, words: string[], schema: Version['schema']) => Definition

const withVersions = (crd: Definition, versions: Version[]): Definition => ({ ...crd, spec: { ...crd.spec, versions } })
const edit = (crd: Definition, name: string | undefined, how: (version: Version) => Version) =>
  withVersions(
    crd,
    crd.spec.versions.map((version) => (version.name === name ? how(version) : version)),
  )
const nameOf = (crd: Definition) => crd.spec.versions.map(({ name }) => name)

/** The schema that is wanted: that of the version which was added, else of the one that was edited. */
function wantedSchema(crd: Definition, wanted: Definition): Version['schema'] {
  const added = wanted.spec.versions.find(({ name }) => !nameOf(crd).includes(name))
  const edited = wanted.spec.versions.find(({ name, schema }) => {
    const old = crd.spec.versions.find((version) => version.name === name)
    return JSON.stringify(old?.schema) !== JSON.stringify(schema)
  })
  return (added ?? edited ?? wanted.spec.versions.at(-1))?.schema
}

/** What a developer does who reads the advice, word for word. */
const acts: [says: RegExp, act: Act][] = [
  [
    /^Add (\S+), served, not stored$/,
    (crd, [name = ''], schema) => {
      return withVersions(crd, [...crd.spec.versions, versionOf(name, { ...(schema && { schema }) })])
    },
  ],
  [/^Convert between /, (crd) => ({ ...crd, spec: { ...crd.spec, conversion: webhook } })],
  [
    /^Mark (\S+) as deprecated, with a deprecationWarning that names (\S+)$/,
    (crd, [name, to]) => edit(crd, name, (old) => ({ ...old, deprecated: true, deprecationWarning: `use ${to}` })),
  ],
  [
    /^Give (\S+) the same schema$/,
    (crd, [name]) => edit(crd, name, (old) => ({ ...old, schema: crd.spec.versions.at(-1)?.schema ?? {} })),
  ],
  [
    /^Make the change in (.*?)(?: alike)?$/,
    (crd, [names = ''], schema) =>
      names
        .split(', ')
        .reduce((result, name) => edit(result, name, (old) => ({ ...old, ...(schema && { schema }) })), crd),
  ],
  [
    /^Store objects in (\S+)$/,
    (crd, [name]) =>
      withVersions(
        crd,
        crd.spec.versions.map((old) => ({ ...old, storage: old.name === name })),
      ),
  ],
  [/^Stop serving (\S+), but keep it/, (crd, [name]) => edit(crd, name, (old) => ({ ...old, served: false }))],
  [
    /^Remove (\S+) from the definition$/,
    (crd, [name]) =>
      withVersions(
        crd,
        crd.spec.versions.filter((old) => old.name !== name),
      ),
  ],
  [/^Remove the webhook$/, (crd) => ({ ...crd, spec: { ...crd.spec, conversion: { strategy: 'None' } } })],
  [
    /^Say "Deprecated" in the description of \^\.spec\.x, and keep the field$/,
    (crd) =>
      JSON.parse(
        JSON.stringify(crd).replaceAll('"x":{', '"x":{"description":"Deprecated: does nothing.",'),
      ) as Definition,
  ],
  // Nothing of the definition changes.
  [/^(Keep|Leave|Let the webhook|Migrate all|Take|Say in release notes|Set `conversion)/, (crd) => crd],
]

function follow(crd: Definition, action: string, schema: Version['schema']): Definition {
  const done = acts.flatMap(([says, act]) => {
    // Nobody can propose what comes after a name that is no version of Kubernetes.
    const match = says.exec(action.replaceAll('the new version', 'newer'))
    return match === null ? [] : [act(crd, match.slice(1), schema)]
  })
  const [result] = done
  if (result === undefined || done.length > 1) throw new Error(`who can do this? ${action}`)
  return result
}

/** The series of releases that follow the advice; those in which nothing is to do are releases as well. */
function released(before: Definition, wanted: Definition, advice: Advice, history: readonly ReleasedDefinition[]) {
  const releases = history.length > 0 ? [...history] : [{ release: 'v1.0.0', definition: before }]
  const count = (advice.parts.at(-1)?.releasesLater ?? -1) + 1
  const first = releases.length
  const schema = wantedSchema(before, wanted)
  for (let later = 0; later < count; later++) {
    const last = releases.at(-1)?.definition ?? before
    const actions = advice.parts.filter(({ releasesLater }) => releasesLater === later).flatMap((part) => part.actions)
    const definition = actions.reduce((crd, action) => follow(crd, action, schema), last)
    releases.push({ release: `v1.${first + later}.0`, definition })
  }
  return { releases, first }
}

/** Kubernetes' rules have no time after which a withdrawn version hurts nobody. */
const tolerated: Readonly<Partial<Record<ProfileName, readonly string[]>>> = {
  kubernetes: ['crd.version.unserved'],
}

/** crdify is told what the advice says about it. */
const told: Readonly<Partial<Record<ProfileName, ComparisonConfig>>> = {
  strict: { overrides: [], ignore: [], crdify: { validations: {}, conversion: 'Ignore' } },
}

function errorsOf(profile: ProfileName, pair: [Definition, Definition], context: Partial<ComparisonContext>) {
  const config = told[profile]
  const options = { profile, context: { ...today, ...context }, ...(config && { config }) }
  const found = compare(...pair, options).upgrade.filter(({ level }) => level === 'error')
  return found.map(({ id, version, path }) => `${id} ${version} ${path}`)
}

test.each(adviceCases)('who follows it meets no error: %s: %s', (profile, _, before, wanted, _bump, _to, _r, given) => {
  const advice = adviseNext(before, wanted, { profile, context: { ...today, ...given } })
  const { releases, first } = released(before, wanted, advice, given?.history ?? [])
  for (const [index, { release, definition }] of releases.entries()) {
    const last = releases[index - 1]?.definition
    if (index < first || last === undefined) continue
    const history = releases.slice(0, index)
    const context = { history, release, releaseNotes: `Model ${advice.newVersion ?? ''}: ${advice.byHand.join(' ')}` }
    const errors = errorsOf(profile, [last, definition], context)
    expect(errors.filter((error) => !tolerated[profile]?.some((id) => error.startsWith(`${id} `)))).toEqual([])
  }
})

test('who does not follow it meets errors', () => {
  const found = adviceCases
    .filter(([, , , , bump]) => bump !== 'none')
    .map(
      ([profile, what, before, wanted]) => [profile, what, errorsOf(profile, [before, wanted], {}).length > 0] as const,
    )
  const harmless = found.filter(([, , errors]) => !errors).map(([profile, what]) => `${profile}: ${what}`)
  expect(harmless).toMatchInlineSnapshot(`
    [
      "kubeairunway: from beta",
      "kubeairunway: promotion",
      "kubernetes: promotion",
    ]
  `)
})
