/** Where definitions come from, by what was typed: a file, a folder, `-`, `cluster:`, `release:`, `git:`. */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { AnyObject, CustomResourceDefinition } from '../kubernetes/objects.ts'
import { type DefinitionsRead, definitionOf, type ReadDefinition, readDefinitions } from '../releases/definitions.ts'
import { ReleaseError } from '../releases/errors.ts'
import { bearsNamesIn, products } from '../releases/products.ts'
import type { SourceFile } from '../releases/source-files.ts'
import { readRelease } from '../releases/sources.ts'
import { releaseVersion } from '../releases/versions.ts'
import { Refusal } from '../report/refusal.ts'
import { manifestPaths, manifestTexts, streamText } from './crd-files.ts'
import { gitTexts } from './git-files.ts'

/** What sources are read with. */
export interface SourceAccess {
  /** one client for all, connected when it is needed */
  client: () => Promise<KubernetesClient>
  stdin: AsyncIterable<Uint8Array>
  /** also what lies below a folder */
  recursive: boolean
  /** folder of releases, one folder a version */
  releases?: string | undefined
  signal?: AbortSignal | undefined
}

/** The definitions of one source. */
export interface DefinitionSource extends DefinitionsRead {
  /** as it was typed */
  source: string
}

/** Does it mean all definitions of a cluster? Which ones are meant depends on the other side then. */
export const isWholeCluster = (source: string): boolean => source === 'cluster:'

/**
 * Reads a source. Of a whole cluster, the definitions of these API groups where some are given.
 * Throws Refusal `usage` for what cannot be compared, ReleaseError for releases, and what a client throws.
 */
export async function readSource(
  source: string,
  access: SourceAccess,
  groups?: ReadonlySet<string>,
): Promise<DefinitionSource> {
  const read = await readAny(source, access, groups)
  const names = new Map<string, ReadDefinition>()
  for (const entry of read.definitions) {
    const { name } = entry.definition.metadata
    const other = names.get(name)
    if (other !== undefined) {
      throw new Refusal('usage', `${source} holds ${name} twice.`, {
        why: `It is in ${other.file} and in ${entry.file}.`,
      })
    }
    names.set(name, entry)
  }
  return { ...read, source }
}

async function readAny(source: string, access: SourceAccess, groups?: ReadonlySet<string>): Promise<DefinitionsRead> {
  const [, scheme, rest = ''] = /^(cluster|release|git):(.*)$/s.exec(source) ?? []
  if (scheme === 'cluster') return fromCluster(rest, access, groups)
  if (scheme === 'release') {
    return fromRelease(rest, access).catch((error: unknown) => {
      throw error instanceof ReleaseError ? hereWorded(error) : error
    })
  }
  if (scheme === 'git') {
    const [ref = '', ...path] = rest.split(':')
    return fromTexts(gitTexts(ref, path.join(':'), access.recursive), source)
  }
  if (source === '-')
    return fromTexts(
      one(() => streamText('standard input', access.stdin)),
      source,
    )
  return fromTexts(manifestTexts(await manifestPaths(source, access.recursive)), source)
}

async function* one(read: () => Promise<SourceFile>): AsyncGenerator<SourceFile> {
  yield await read()
}

async function fromTexts(files: AsyncIterable<SourceFile>, source: string): Promise<DefinitionsRead> {
  const all: DefinitionsRead = { definitions: [], passedOver: 0 }
  for await (const file of files) {
    const { definitions, passedOver } = readDefinitions(file)
    all.definitions.push(...definitions)
    all.passedOver += passedOver
  }
  if (all.definitions.length > 0) return all
  throw new Refusal('usage', `${source} holds no CustomResourceDefinition.`, {
    why: all.passedOver === 0 ? 'It is empty.' : `It holds ${all.passedOver} other documents.`,
  })
}

async function fromCluster(name: string, access: SourceAccess, groups?: ReadonlySet<string>): Promise<DefinitionsRead> {
  const client = await access.client()
  const { server } = client.connection
  const kind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
  if (name !== '') {
    const found = await client.find<CustomResourceDefinition>({ ...kind, name }, access.signal)
    if (found === undefined) throw new Refusal('usage', `There is no CustomResourceDefinition ${name} at ${server}.`)
    return { definitions: [{ definition: found, file: `cluster:${name}` }], passedOver: 0 }
  }
  // A hundred definitions may be 50 MB: one page at a time, and of each only what is compared.
  const definitions: ReadDefinition[] = []
  const options = { limit: 50, ...(access.signal && { signal: access.signal }) }
  for await (const { items } of client.pages<CustomResourceDefinition>(kind, options)) {
    for (const definition of items) {
      if (groups !== undefined && !groups.has(definition.spec.group)) continue
      definitions.push({ definition: { ...definition, ...kind }, file: `cluster:${definition.metadata.name}` })
    }
  }
  return { definitions, passedOver: 0 }
}

async function fromRelease(typed: string, access: SourceAccess): Promise<DefinitionsRead> {
  const version = releaseVersion(typed)
  const candidates = products().filter((product) => bearsNamesIn(product, version))
  let reason: unknown = new ReleaseError('not-found', `no product is known that has a version ${version}`)
  for (const product of candidates) {
    try {
      const release = await readRelease({
        version,
        product,
        ...(access.releases !== undefined && { releasesFolder: access.releases }),
        ...(access.signal && { signal: access.signal }),
      })
      const found = release.objects.filter(({ role }) => role === 'crd')
      const definitions = found.map(({ object }) => ({
        definition: definitionOf(plain(object), release.source),
        file: release.source,
      }))
      if (definitions.length === 0) throw new Refusal('usage', `release ${version} holds no CustomResourceDefinition.`)
      return { definitions, passedOver: 0 }
    } catch (error) {
      access.signal?.throwIfAborted()
      if (!(error instanceof ReleaseError)) throw error
      reason = error
    }
  }
  throw reason
}

/** What a release says to do next, in the words of these commands, which have no --to and no --source. */
function hereWorded(error: ReleaseError): ReleaseError {
  if (!/--(to|source)\b/.test(error.next ?? '')) return error
  const next =
    error.kind === 'bad-version'
      ? 'name the release in full, for example release:v0.2.0'
      : 'give the folder that holds the releases with --releases, or the file itself as the source'
  return new ReleaseError(error.kind, error.message, {
    ...(error.why !== undefined && { why: error.why }),
    next,
    cause: error,
  })
}

const plain = (object: AnyObject): Readonly<Record<string, unknown>> => ({ ...object })
