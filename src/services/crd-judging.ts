/** By what definitions are judged: the profile, the configuration, and what a policy about releases asks to know. */
import { gte, valid } from 'semver'
import type {
  ComparisonConfig,
  ComparisonContext,
  ProfileName,
  ReleasedDefinition,
} from '../crds/comparison/comparison.types.ts'
import { readConfig } from '../crds/comparison/config.ts'
import { matches, textsOf } from '../crds/comparison/judge.ts'
import { profileNames, profiles } from '../crds/comparison/profiles.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { products } from '../releases/products.ts'
import { readYamlDocuments, UnusableYaml } from '../releases/yaml-documents.ts'
import { Refusal } from '../report/refusal.ts'
import { foldersIn, isManifestName, readSmallFile } from './crd-files.ts'
import { type DefinitionSource, readSource, type SourceAccess } from './crd-sources.ts'

export interface JudgingRequest {
  profile?: ProfileName | undefined
  /** file with levels and ignores, ours or crdify's */
  config?: string | undefined
  /** `NAME=SOURCE`, or just the source: earlier releases, oldest first, that of the old side last */
  history?: readonly string[] | undefined
  /** the release that the new side is for */
  release?: string | undefined
  /** file with its notes */
  releaseNotes?: string | undefined
  /** what is installed on the cluster that the release goes to */
  installed?: string | undefined
  /** by which ignores end */
  today: Date
}

/** All that judging needs, for any definition. */
export interface Judging {
  profileOf: (definition: CustomResourceDefinition) => ProfileName
  contextOf: (name: string) => ComparisonContext
  config?: ComparisonConfig
}

/** Reads all of it before anything is compared. Throws Refusal `usage`, and as `readSource` does. */
export async function readJudging(request: JudgingRequest, access: SourceAccess): Promise<Judging> {
  const groups = new Set(products().map(({ group }) => group))
  const config = request.config === undefined ? undefined : await readConfigFile(request.config)
  const releases = await readHistory(request, access)
  const installed = request.installed === undefined ? undefined : await readSource(request.installed, access)
  const notes = request.releaseNotes === undefined ? undefined : (await readSmallFile(request.releaseNotes)).text
  return {
    profileOf: ({ spec }) => request.profile ?? (groups.has(spec.group) ? 'kubeairunway' : 'kubernetes'),
    contextOf: (name) => {
      const present = installed && definitionIn(installed, name)
      const history = historyOf(name, releases)
      return {
        today: request.today.toISOString().slice(0, 10),
        ...(request.history !== undefined && { history }),
        ...(request.release !== undefined && { release: request.release }),
        ...(notes !== undefined && { releaseNotes: notes }),
        ...(present && { installed: present }),
      }
    },
    ...(config && { config }),
  }
}

interface NamedRelease {
  release: string
  source: DefinitionSource
}

const definitionIn = ({ definitions }: DefinitionSource, name: string): CustomResourceDefinition | undefined =>
  definitions.find(({ definition }) => definition.metadata.name === name)?.definition

const historyOf = (name: string, releases: readonly NamedRelease[]): ReleasedDefinition[] =>
  releases.flatMap(({ release, source }) => {
    const definition = definitionIn(source, name)
    return definition === undefined ? [] : [{ release, definition }]
  })

async function readHistory(request: JudgingRequest, access: SourceAccess): Promise<NamedRelease[]> {
  const { history = [] } = request
  const named = await Promise.all(history.map((typed) => namedSources(typed, request.release)))
  const releases: NamedRelease[] = []
  for (const { release, source } of named.flat()) releases.push({ release, source: await readSource(source, access) })
  return releases
}

/** A folder of folders is a series of releases, each named as its folder; those from the release on that is judged are none. */
async function namedSources(typed: string, judged: string | undefined): Promise<{ release: string; source: string }[]> {
  const [, name, named] = /^([\w.+-]+)=(.+)$/s.exec(typed) ?? []
  if (name !== undefined && named !== undefined) return [{ release: name, source: named }]
  const [, scheme, rest = ''] = /^(release|git|cluster):([^:]*)/.exec(typed) ?? []
  if (scheme !== undefined) return [{ release: rest === '' ? scheme : rest, source: typed }]
  const folders = isManifestName(typed) || typed === '-' ? [] : await foldersIn(typed)
  if (folders.length > 0) {
    const earlier = folders.filter((folder) => judged === undefined || !isFrom(folder, judged))
    return earlier.map((folder) => ({ release: folder, source: `${typed.replace(/\/$/, '')}/${folder}` }))
  }
  const last = typed.replace(/\/$/, '').split('/').at(-1) ?? typed
  return [{ release: last.replace(/\.(ya?ml|json)$/i, ''), source: typed }]
}

/** Is it this release, or a later one? */
const isFrom = (release: string, judged: string): boolean =>
  valid(release) !== null && valid(judged) !== null && gte(release, judged)

async function readConfigFile(path: string): Promise<ComparisonConfig> {
  const { text } = await readSmallFile(path)
  const { config, problems } = readConfig(documentOf(text, path))
  problems.push(...unknownIds(config))
  if (problems.length === 0) return config
  throw new Refusal('usage', `The configuration ${path} cannot be used: ${problems.join('; ')}.`, {
    next: 'entries are overrides: [{id, version, path, level}], ignore: [{id, version, path, until, reason}], or those of crdify',
  })
}

/** An entry for an id that nothing has would do nothing, in silence. */
function unknownIds({ overrides, ignore }: ComparisonConfig): string[] {
  const known = new Set(profileNames.flatMap((name) => [...textsOf(profiles[name]).keys()]))
  for (const id of ['crd.definition.removed', 'crd.definition.added']) known.add(id)
  const unknown = [...overrides, ...ignore].filter(({ id }) => ![...known].some((one) => matches(id, one)))
  return [...new Set(unknown.map(({ id }) => `no finding has the id ${id}`))]
}

function documentOf(text: string, path: string): unknown {
  try {
    const [document, ...others] = readYamlDocuments(text)
    if (others.length > 0) throw new UnusableYaml('it holds more than one document')
    return document
  } catch (error) {
    if (!(error instanceof UnusableYaml)) throw error
    throw new Refusal('usage', `The configuration ${path} cannot be used: ${error.message}.`)
  }
}
