/**
 * The yardstick: the least that moves all objects of a kind to its storage version. It lists their metadata, sends an empty
 * merge patch to each, and counts by resourceVersion what the server wrote. No retries, no proof, no trim, no journal.
 *
 *   node test/bench/migrate/bare-loop.ts --kubeconfig FILE --path /apis/GROUP/VERSION/PLURAL [--concurrency 4]
 */
import { parseArgs } from 'node:util'
import { inFlight, openWire, type Wire } from './wire.ts'

interface Metadata {
  name: string
  namespace?: string
  resourceVersion: string
}

interface MetadataList {
  metadata: { continue?: string }
  items: { metadata: Metadata }[]
}

const asMetadata = (kind: string) => `application/json;as=${kind};g=meta.k8s.io;v=v1`

async function listed(wire: Wire, path: string): Promise<Metadata[]> {
  const all: Metadata[] = []
  for (let next = ''; ; ) {
    const query = `?limit=500${next && `&continue=${encodeURIComponent(next)}`}`
    const { text } = await wire.send('GET', `${path}${query}`, { accept: asMetadata('PartialObjectMetadataList') })
    const page = JSON.parse(text) as MetadataList
    // Not the objects of the page: their managedFields would stay in memory with them.
    for (const { metadata } of page.items) {
      const { name, namespace, resourceVersion } = metadata
      all.push({ name, resourceVersion, ...(namespace !== undefined && { namespace }) })
    }
    next = page.metadata.continue ?? ''
    if (next === '') return all
  }
}

async function rewrite(wire: Wire, path: string, concurrency: number) {
  const objects = await listed(wire, path)
  const [root, plural] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)]
  const counts = { rewritten: 0, unchanged: 0 }
  await inFlight(concurrency, objects.values(), async ({ namespace, name, resourceVersion }) => {
    const at = namespace === undefined ? `${path}/${name}` : `${root}/namespaces/${namespace}/${plural}/${name}`
    const { status, text } = await wire.send('PATCH', at, {
      accept: asMetadata('PartialObjectMetadata'),
      body: '{}',
      contentType: 'application/merge-patch+json',
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
  },
})
if (values.kubeconfig === undefined || values.path === undefined) throw new Error('--kubeconfig and --path are needed')
const concurrency = Number(values.concurrency)
const wire = openWire(values.kubeconfig, concurrency)
const begin = performance.now()
const counts = await rewrite(wire, values.path, concurrency)
const seconds = (performance.now() - begin) / 1000
await wire.close()
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
const clientCpuMs = Math.round((userCPUTime + systemCPUTime) / 1000)
console.log(JSON.stringify({ ...counts, seconds, concurrency, clientCpuMs, rssMb: Math.round(maxRSS / 1024) }))
