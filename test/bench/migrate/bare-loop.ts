/**
 * The yardstick: the least that moves all objects of a kind to its storage version. It lists their metadata, sends an empty
 * merge patch to each, and counts by resourceVersion what the server wrote. No retries, no proof, no trim, no journal. With
 * --rename it sends what renames the managers of each object to the version of the path, where there is something to rename.
 *
 *   node test/bench/migrate/bare-loop.ts --kubeconfig FILE --path /apis/GROUP/VERSION/PLURAL [--concurrency 4] [--rename]
 */
import { parseArgs } from 'node:util'
import { inFlight, openWire, type Wire } from './wire.ts'

interface Metadata {
  name: string
  namespace?: string
  resourceVersion: string
}

interface Listed extends Metadata {
  managedFields?: { apiVersion?: string }[]
}

interface ToWrite extends Metadata {
  /** a JSON patch; an empty merge patch without it */
  operations?: string
}

interface MetadataList {
  metadata: { continue?: string }
  items: { metadata: Listed }[]
}

/** Which objects, and what they are to be stored in. */
interface Job {
  path: string
  apiVersion: string
  rename: boolean
}

const asMetadata = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`

async function listed(wire: Wire, { path, apiVersion, rename }: Job): Promise<ToWrite[]> {
  const all: ToWrite[] = []
  for (let next = ''; ; ) {
    const query = `?limit=500${next && `&continue=${encodeURIComponent(next)}`}`
    const { text } = await wire.send('GET', `${path}${query}`, { accept: asMetadata('PartialObjectMetadataList') })
    const page = JSON.parse(text) as MetadataList
    // Not the objects of the page: their managedFields would stay in memory with them.
    for (const { metadata } of page.items) {
      const { name, namespace, resourceVersion } = metadata
      const operations = rename ? renaming(metadata, apiVersion) : undefined
      all.push({
        name,
        resourceVersion,
        ...(namespace !== undefined && { namespace }),
        ...(operations !== undefined && { operations }),
      })
    }
    next = page.metadata.continue ?? ''
    if (next === '') return all
  }
}

/** Undefined where all managers are named in this version. */
function renaming({ managedFields = [], resourceVersion }: Listed, apiVersion: string): string | undefined {
  const operations = managedFields.flatMap((entry, index) =>
    entry.apiVersion === apiVersion
      ? []
      : [{ op: 'replace', path: `/metadata/managedFields/${index}/apiVersion`, value: apiVersion }],
  )
  if (operations.length === 0) return undefined
  return JSON.stringify([...operations, { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion }])
}

async function rewrite(wire: Wire, job: Job, concurrency: number) {
  const { path } = job
  const objects = await listed(wire, job)
  const [root, plural] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)]
  const counts = { rewritten: 0, unchanged: 0 }
  await inFlight(concurrency, objects.values(), async ({ namespace, name, resourceVersion, operations }) => {
    const at = namespace === undefined ? `${path}/${name}` : `${root}/namespaces/${namespace}/${plural}/${name}`
    const { status, text } = await wire.send('PATCH', at, {
      accept: asMetadata('PartialObjectMetadata'),
      body: operations ?? '{}',
      contentType: operations === undefined ? 'application/merge-patch+json' : 'application/json-patch+json',
    })
    // Deleted since it was listed.
    if (status === 404) return
    const answer = JSON.parse(text) as { metadata: Metadata }
    counts[answer.metadata.resourceVersion === resourceVersion ? 'unchanged' : 'rewritten'] += 1
  })
  return { objects: objects.length, ...counts }
}

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    path: { type: 'string' },
    concurrency: { type: 'string', default: '4' },
    rename: { type: 'boolean', default: false },
  },
})
if (values.kubeconfig === undefined || values.path === undefined) throw new Error('--kubeconfig and --path are needed')
const { path, rename } = values
const concurrency = Number(values.concurrency)
const apiVersion = path.split('/').slice(2, 4).join('/')
const wire = openWire(values.kubeconfig, concurrency)
const begin = performance.now()
const counts = await rewrite(wire, { path, apiVersion, rename }, concurrency)
const seconds = (performance.now() - begin) / 1000
await wire.close()
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
const clientCpuMs = Math.round((userCPUTime + systemCPUTime) / 1000)
console.log(JSON.stringify({ ...counts, seconds, concurrency, clientCpuMs, rssMb: Math.round(maxRSS / 1024) }))
