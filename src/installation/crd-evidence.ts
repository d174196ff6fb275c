/** What a cluster says about a comparison of two definitions: its objects, its clients, and its API server. Reads only. */
import type { Comparison, Finding } from '../crds/comparison/comparison.types.ts'
import type { DryRunEvidence, LiveEvidence, VersionUsers } from '../crds/comparison/evidence.types.ts'
import { type Counted, withEvidence } from '../crds/comparison/with-evidence.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { ApiError } from '../kubernetes/errors.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { dryRun } from './evidence/dry-run.ts'
import { type PassResult, passThrough, type Question } from './evidence/object-pass.ts'
import { ratchets } from './evidence/ratcheting.ts'
import { requestCounts } from './evidence/request-counts.ts'
import { cheapestVersion, type Definitions, directionFrom, readableAs, versionsThatGo } from './evidence/standing.ts'
import { isAboutVersions, storedTest } from './evidence/stored-test.ts'

export interface EvidenceOptions {
  /** told the number of objects read, after each page */
  onProgress?: (objects: number) => void
  signal?: AbortSignal
}

/** A cluster that has the definition. */
interface Cluster {
  client: KubernetesClient
  live: CustomResourceDefinition
  minor: number
  direction: NonNullable<LiveEvidence['direction']>
  /** in that direction */
  definitions: Definitions
  options: EvidenceOptions
}

type Unread = NonNullable<LiveEvidence['unread']>

/**
 * The comparison with the evidence of a cluster: for each finding about stored objects how many there are and whom it hurts, the
 * API server's word on the new definition, and who still uses versions that go. Only the direction that begins at the cluster's
 * definition has evidence. What may not be read is told in `live.unread`, never an error.
 * Throws what is no answer of an API server, and 401, after which nothing can be read.
 */
export async function gatherEvidence(
  client: KubernetesClient,
  comparison: Comparison,
  { before, after }: Definitions,
  options: EvidenceOptions = {},
): Promise<Comparison> {
  const { major, minor } = await client.serverVersion()
  const kubernetes = `${major}.${minor}`
  const found = await findDefinition(client, comparison.name, options.signal)
  if ('why' in found) {
    const sent: DryRunEvidence = { outcome: 'unknown', why: found.why }
    const unread = [{ what: `the definition ${comparison.name}`, why: found.why }]
    return withEvidence(comparison, {
      live: { kubernetes, objects: 0, dryRun: sent, users: [], unread },
      stored: new Map(),
    })
  }
  const { live } = found
  const sent = await dryRun(client, after, { live, signal: options.signal })
  if (live === undefined) {
    const unread = [{ what: `objects of ${comparison.name}`, why: 'the cluster does not have the definition' }]
    return withEvidence(comparison, {
      live: { kubernetes, objects: 0, dryRun: sent, users: [], unread },
      stored: new Map(),
    })
  }
  const direction = directionFrom(live, { before, after })
  const definitions = direction === 'upgrade' ? { before, after } : { before: after, after: before }
  const cluster = { client, live, minor, direction, definitions, options }
  const { users, objects, stored, unread } = await askObjects(cluster, comparison[direction])
  const evidence = { kubernetes, objects, direction, dryRun: sent, users, ...(unread.length > 0 && { unread }) }
  return withEvidence(comparison, { live: evidence, stored })
}

async function findDefinition(
  client: KubernetesClient,
  name: string,
  signal: AbortSignal | undefined,
): Promise<{ live: CustomResourceDefinition | undefined } | { why: string }> {
  const reference = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name }
  try {
    return { live: await client.find<CustomResourceDefinition>(reference, signal) }
  } catch (error) {
    return { why: refusalOf(error) }
  }
}

interface Asked {
  objects: number
  users: VersionUsers[]
  stored: Map<Finding, Counted>
  unread: Unread
}

async function askObjects(cluster: Cluster, findings: readonly Finding[]): Promise<Asked> {
  const { client, live, definitions, options } = cluster
  const { group, names } = live.spec
  const going = versionsThatGo(definitions)
  // Before the objects are read: those reads would count as well.
  const requests =
    going.length > 0 ? await requestCounts(client, { group, plural: names.plural }, options.signal) : undefined
  const asked: Asked = { objects: 0, users: [], stored: new Map(), unread: [] }
  const results = await readObjects(cluster, passesFor(cluster, findings, asked.unread), asked)
  asked.users = going.map((version) => {
    const count = results.map(({ users }) => users.get(`${group}/${version}`)).find((users) => users !== undefined)
    const counted = requests === undefined ? {} : { requests: requests.get(version) ?? 0 }
    return { version, users: count?.users() ?? [], ...counted }
  })
  return asked
}

/** The questions to objects, by the version that they are read in; those that any version answers are in each of none. */
function passesFor(
  { live, definitions, minor }: Cluster,
  findings: readonly Finding[],
  unread: Unread,
): Map<string, Question[]> {
  const passes = new Map<string, Question[]>()
  const cheapest = cheapestVersion(live)
  if (cheapest === undefined) {
    unread.push({ what: `objects of ${live.metadata.name}`, why: 'no version of the definition is served' })
    return passes
  }
  for (const finding of findings) {
    const test = storedTest(finding, definitions, minor)
    if (test === undefined) continue
    const [version = ''] = finding.version.split(' -> ')
    const readAs = isAboutVersions(finding) ? cheapest : readableAs(live, version)
    if (readAs !== undefined) passes.set(readAs, [...(passes.get(readAs) ?? []), { finding, test }])
    else if (live.spec.versions.some(({ name }) => name === version)) note(unread, version)
  }
  // Who uses versions, and how many objects there are, is asked in any case.
  if (passes.size === 0) passes.set(cheapest, [])
  return passes
}

function note(unread: Unread, version: string): void {
  const what = `objects in ${version}`
  if (unread.some((entry) => entry.what === what)) return
  unread.push({ what, why: 'the cluster does not serve that version, and its other versions differ' })
}

async function readObjects(cluster: Cluster, passes: Map<string, Question[]>, asked: Asked): Promise<PassResult[]> {
  const { client, live, minor, definitions, options } = cluster
  const { group, names } = live.spec
  const apiVersions = versionsThatGo(definitions).map((version) => `${group}/${version}`)
  const results: PassResult[] = []
  for (const [version, questions] of passes) {
    const collection = { apiVersion: `${group}/${version}`, kind: names.kind }
    try {
      const result = await passThrough(client, collection, {
        questions,
        apiVersions: results.length === 0 ? apiVersions : [],
        whole: questions.some(({ finding }) => !isAboutVersions(finding)),
        onPage: (objects) => options.onProgress?.(objects),
        signal: options.signal,
      })
      results.push(result)
      asked.objects = Math.max(asked.objects, result.checked)
      for (const [finding, answer] of result.answers) {
        asked.stored.set(finding, { checked: result.checked, ...answer, ratchets: ratchets(finding, minor) })
      }
    } catch (error) {
      asked.unread.push({ what: `objects of ${live.metadata.name} in ${version}`, why: refusalOf(error) })
    }
  }
  return results
}

/** What the API server said; throws what is no answer of it, and 401. */
function refusalOf(error: unknown): string {
  if (error instanceof ApiError && error.code !== 401) return error.message
  throw error
}
