/** Looks at definitions and their objects before anything is written: what is stored where, how long it takes, who is in the way. */
import type { VersionUsers } from '../crds/comparison/evidence.types.ts'
import { storageVersionOf } from '../crds/versions.ts'
import { tracesOf, UserCount } from '../installation/evidence/version-users.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { ApiError, isForbidden } from '../kubernetes/errors.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { missingVersion, notFound, unavailable, unreadAsForbidden, unreadable } from './blockers.ts'
import { type Clocks, type KnownFlip, storageFlip } from './flip-time.ts'
import { lateWriteSeconds, type MigrationTarget } from './migration.types.ts'
import { missingRights, requiredRights } from './rights.ts'
import type { Blocker, DefinitionSurvey, Estimate, RequiredRight, Survey } from './survey.types.ts'
import { conversionState } from './survey-conversion.ts'
import { isBlocker, needsMigration, targetOf } from './target.ts'

export interface SurveyOptions {
  /** looks at all objects for those who write other versions, not at the first page only */
  allObjects?: boolean
  /** flips that a step of ours has made, by definition */
  flips?: ReadonlyMap<string, KnownFlip>
  /** told each definition that is looked at, from 1 */
  onProgress?: (place: { definition: string; number: number; of: number }) => void
  signal?: AbortSignal
  /** instead of the clock; for tests */
  now?: () => number
}

const definitionKind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
const pageSize = 500
// Definitions come whole, some of them with half a megabyte of schemas.
const definitionsPerPage = 50
/** What API servers do on two cores: rewrites, and writes that change nothing and are left out. */
const [rewritesPerSecond, elidedPerSecond] = [200, 400]

/**
 * Surveys the definitions of these names, or all. Of all of them only those are looked at that need a migration by their status;
 * the others are just listed. Reads only. Throws where definitions cannot be listed, or nobody answers.
 */
export async function survey(
  client: KubernetesClient,
  wanted: readonly string[] | 'all',
  options: SurveyOptions = {},
): Promise<Survey> {
  const clocks = await readClocks(client, options)
  const { crds, absent } =
    wanted === 'all' ? await allDefinitions(client, options) : await named(client, wanted, options)
  const standings = crds.map((crd) => standingOf(crd, clocks, options))
  const looked = standings.filter(({ found, needed }) => !isBlocker(found) && (needed || wanted !== 'all'))
  const missing = await missingRights(client, looked.flatMap(rightsOf), options.signal)
  for (const [index, standing] of looked.entries()) {
    options.onProgress?.({ definition: standing.crd.metadata.name, number: index + 1, of: looked.length })
    await lookAt(client, standing, missing, options)
  }
  const definitions = [...standings.map(({ result }) => result), ...absent]
  return { ...(clocks && { serverTime: new Date(clocks.server).toISOString() }), definitions }
}

interface Standing {
  crd: CustomResourceDefinition
  found: MigrationTarget | Blocker
  needed: boolean
  /** how long ago the storage version was certainly this one */
  flippedSeconds: number
  result: DefinitionSurvey
}

function standingOf(crd: CustomResourceDefinition, clocks: Clocks | undefined, options: SurveyOptions): Standing {
  const { name } = crd.metadata
  const flip = storageFlip(crd, clocks, options.flips?.get(name))
  const found = targetOf(crd, flip?.at)
  const needed = needsMigration(crd)
  const now = clocks?.local ?? (options.now ?? Date.now)()
  const flippedSeconds = flip ? Math.max(0, (now - Date.parse(flip.at)) / 1000) : 0
  const result: DefinitionSurvey = {
    ...emptySurvey(name),
    group: crd.spec.group,
    kind: crd.spec.names.kind,
    plural: crd.spec.names.plural,
    storageVersion: storageVersionOf(crd) ?? '',
    storedVersions: [...(crd.status?.storedVersions ?? [])],
    needed,
    ...(isBlocker(found) ? { blockers: [found] } : { target: found }),
  }
  return { crd, found, needed, flippedSeconds, result }
}

const emptySurvey = (definition: string): DefinitionSurvey => {
  const [plural = '', ...group] = definition.split('.')
  const empty = { blockers: [], notes: [], users: [], looked: 0, missingRights: [] }
  const names = { definition, group: group.join('.'), kind: '', plural, storageVersion: '', storedVersions: [] }
  return { ...names, needed: false, ...empty }
}

const rightsOf = ({ found }: Standing): RequiredRight[] => (isBlocker(found) ? [] : requiredRights(found))

async function lookAt(
  client: KubernetesClient,
  standing: Standing,
  missing: readonly RequiredRight[],
  options: SurveyOptions,
): Promise<void> {
  const { crd, found: target, result } = standing
  if (isBlocker(target)) return
  const lacked = new Set(missing.map(({ request }) => JSON.stringify(request)))
  result.missingRights = requiredRights(target).filter(({ request }) => lacked.has(JSON.stringify(request)))
  if (target.conversion === 'Webhook') {
    const conversion = await conversionState(client, crd, options.signal)
    result.blockers.push(...conversion.blockers)
    result.notes.push(...conversion.notes)
  }
  if (result.missingRights.some(({ request }) => request.verb === 'list' && request.resource === target.plural)) return
  try {
    Object.assign(result, await countObjects(client, target, options))
  } catch (error) {
    if (!(error instanceof ApiError) || error.code === 401) throw error
    result.blockers.push(obstacleToList(crd, error))
    return
  }
  result.estimate = estimateOf(result.objects ?? 0, standing.flippedSeconds)
}

function obstacleToList(crd: CustomResourceDefinition, error: ApiError): Blocker {
  const { name } = crd.metadata
  if (error.code === 403) return unreadAsForbidden(name, error.message)
  const version = missingVersion(error.message, crd)
  return version === undefined ? unavailable(name, error.message) : unreadable(name, version)
}

/** How many objects there are, and who has written them in another version than that of the store. */
async function countObjects(
  client: KubernetesClient,
  target: MigrationTarget,
  { allObjects, signal }: SurveyOptions,
): Promise<Pick<DefinitionSurvey, 'objects' | 'looked' | 'users'>> {
  const { group, kind, requestVersion, storageVersion } = target
  const others = target.versions.filter((version) => version !== storageVersion)
  const counts = new Map(others.map((version) => [version, new UserCount()]))
  const collection = { apiVersion: `${group}/${requestVersion}`, kind }
  let [objects, looked] = [0, 0]
  for await (const page of client.metadataPages(collection, { limit: pageSize, ...(signal && { signal }) })) {
    looked += page.items.length
    objects = looked + (page.remainingItemCount ?? 0)
    for (const [version, count] of counts) {
      for (const object of page.items) count.add(object, tracesOf(object, `${group}/${version}`))
    }
    if (allObjects !== true) break
  }
  const users: VersionUsers[] = [...counts].map(([version, count]) => ({ version, users: count.users() }))
  return { objects, looked, users: users.filter((entry) => entry.users.length > 0) }
}

/** A rewrite and one proof of it. The proof may begin when the rewrite is over and no late write is possible any more. */
export function estimateOf(objects: number, secondsSinceFlip: number): Estimate {
  const pages = Math.max(1, Math.ceil(objects / pageSize))
  const rewrite = objects / rewritesPerSecond
  const late = Math.max(0, lateWriteSeconds - secondsSinceFlip)
  const seconds = Math.ceil(Math.max(rewrite, late) + objects / elidedPerSecond)
  return { requests: 2 * (objects + pages) + 20, seconds }
}

async function allDefinitions(client: KubernetesClient, { signal }: SurveyOptions): Promise<Read> {
  const options = { limit: definitionsPerPage, ...(signal && { signal }) }
  const crds: CustomResourceDefinition[] = []
  for await (const page of client.pages<CustomResourceDefinition>(definitionKind, options)) {
    for (const crd of page.items) crds.push(needsMigration(crd) ? crd : withoutSchemas(crd))
  }
  return { crds, absent: [] }
}

/** Of most definitions only the names are needed: a cluster may have hundreds, with dozens of megabytes of schemas. */
function withoutSchemas(crd: CustomResourceDefinition): CustomResourceDefinition {
  const versions = crd.spec.versions.map((version) => (version.schema ? { ...version, schema: bareSchema } : version))
  return { ...crd, spec: { ...crd.spec, versions } }
}

const bareSchema = { openAPIV3Schema: {} }

interface Read {
  crds: CustomResourceDefinition[]
  absent: DefinitionSurvey[]
}

async function named(client: KubernetesClient, names: readonly string[], { signal }: SurveyOptions): Promise<Read> {
  const read: Read = { crds: [], absent: [] }
  for (const name of new Set(names)) {
    try {
      const crd = await client.find<CustomResourceDefinition>({ ...definitionKind, name }, signal)
      if (crd) read.crds.push(crd)
      else read.absent.push({ ...emptySurvey(name), blockers: [notFound(name)] })
    } catch (error) {
      if (!isForbidden(error)) throw error
      read.absent.push({ ...emptySurvey(name), blockers: [unreadAsForbidden(name, error.message)] })
    }
  }
  return read
}

/** Every answer of an API server has its time, refusals too. Undefined where something in between takes it away. */
export async function readClocks(client: KubernetesClient, options: SurveyOptions): Promise<Clocks | undefined> {
  const { headers } = await client.raw({
    method: 'GET',
    path: '/version',
    ...(options.signal && { signal: options.signal }),
  })
  const server = Date.parse(headers['date'] ?? '')
  return Number.isNaN(server) ? undefined : { local: (options.now ?? Date.now)(), server }
}
