/**
 * How many patches a second a pass sends on one core, and what each costs: against a stub that answers after DELAY ms (5).
 * `taskset -c 0 node test/bench/patch-rate.ts`; the stub goes to the other core where there is taskset.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { connect } from '../../src/kubernetes/connect.ts'
import type { MigrationTarget } from '../../src/migration/migration.types.ts'
import { runPass } from '../../src/migration/pass.ts'
import { keepMemorySmall } from '../../src/migration/pass-memory.ts'

const objects = Number(process.env['OBJECTS'] ?? 20_000)
const delay = Number(process.env['DELAY'] ?? 5)
const root = '/apis/bench.example/v1/widgets'

if (process.argv[2] === 'stub') stub()
else await measure()

function metadata(index: number, revision: number): object {
  const managedFields = [
    {
      manager: 'kubectl',
      operation: 'Update',
      apiVersion: 'bench.example/v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:size': {}, 'f:color': {} } },
    },
  ]
  return {
    name: `widget-${index}`,
    namespace: 'bench',
    uid: `uid-${index}`,
    resourceVersion: String(revision),
    managedFields,
  }
}

function stub(): void {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://stub')
    request.resume()
    const answer = (body: object): void => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'audit-id': 'x',
        'cache-control': 'no-cache, private',
      })
      response.end(JSON.stringify(body))
    }
    if (request.method === 'PATCH') {
      const index = Number(url.pathname.slice(url.pathname.lastIndexOf('-') + 1))
      setTimeout(answer, delay, { metadata: metadata(index, 1_000_000 + index) })
      return
    }
    const from = Number(url.searchParams.get('continue') ?? 0)
    const to = Math.min(objects, from + Number(url.searchParams.get('limit')))
    const items = Array.from({ length: to - from }, (_, index) => ({
      metadata: metadata(from + index, from + index + 1),
    }))
    answer({
      metadata: {
        resourceVersion: '1',
        ...(to < objects && { continue: String(to), remainingItemCount: objects - to }),
      },
      items,
    })
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
}

async function measure(): Promise<void> {
  const argv = [import.meta.filename, 'stub']
  const child =
    process.platform === 'linux'
      ? spawn('taskset', ['-c', '1', process.execPath, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] })
      : spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const server = `http://127.0.0.1:${line.toString().trim()}`
    if (!process.env['ONLY_PASS']) await bare(server, 16)
    await pass(server)
  } finally {
    child.kill()
  }
}

async function pass(server: string): Promise<void> {
  const client = await connect({ server }, { env: { KUBECONFIG: '/dev/null' } })
  const target: MigrationTarget = {
    definition: 'widgets.bench.example',
    uid: 'u',
    generation: 1,
    fingerprint: 'f',
    group: 'bench.example',
    kind: 'Widget',
    plural: 'widgets',
    namespaced: true,
    storageVersion: 'v1',
    storedVersions: ['v1'],
    versions: ['v1'],
    served: ['v1'],
    requestVersion: 'v1',
    conversion: 'None',
    statusSubresource: false,
  }
  keepMemorySmall()
  const rates: number[] = []
  const cpu = process.cpuUsage()
  const result = await runPass(client, target, {
    limits: { maxInFlight: 32 },
    onProgress: ({ perSecond, inFlight }) => {
      rates.push(perSecond)
      if (process.env['TRACE']) console.log(perSecond.toFixed(0), inFlight)
    },
  })
  report('pass', result.seconds, cpu)
  const later = rates.slice(Math.floor(rates.length / 2)).toSorted((left, right) => left - right)
  console.log(
    `  second half: median ${later[Math.floor(later.length / 2)]?.toFixed(0)}/s; most in flight ${result.mostInFlight}`,
  )
  console.log(
    `  ${result.requests} requests, ${result.rewritten} rewritten, ${result.failed} failed, peak ${memory()} MiB`,
  )
  await client.close()
}

async function bare(server: string, inFlight: number): Promise<void> {
  const pool = new Pool(server, { connections: inFlight })
  const [cpu, begin] = [process.cpuUsage(), performance.now()]
  let next = 0
  const headers = { 'content-type': 'application/merge-patch+json', accept: 'application/json' }
  const loop = async (): Promise<void> => {
    while (next < objects) {
      const path = `${root}/widget-${next++}`
      const answer = await pool.request({ method: 'PATCH', path, headers, body: '{}' })
      JSON.parse(await answer.body.text())
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
  report(`bare loop, ${inFlight} in flight`, (performance.now() - begin) / 1000, cpu)
  await pool.destroy()
}

function report(name: string, seconds: number, before: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(before)
  const each = (user + system) / 1000 / objects
  console.log(`${name}: ${(objects / seconds).toFixed(0)}/s, ${each.toFixed(3)} ms CPU per object`)
}

function memory(): string {
  return (process.resourceUsage().maxRSS / 1024).toFixed(0)
}
