/**
 * A server on loopback that treats writes of one kind as an API server does: a write stores the object in the storage version
 * and gives it a new resourceVersion, unless no byte of it changes; a resourceVersion that is named has to be the object's.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ManagedFieldsEntry } from '../../../src/kubernetes/objects.ts'
import type { PatchOperation } from '../../../src/migration/managed-fields.ts'
import type { MigrationTarget } from '../../../src/migration/migration.types.ts'

export const target: MigrationTarget = {
  definition: 'widgets.bench.example',
  uid: 'u',
  generation: 2,
  fingerprint: 'f',
  group: 'bench.example',
  kind: 'Widget',
  plural: 'widgets',
  namespaced: true,
  storageVersion: 'v1',
  storedVersions: ['v1alpha1', 'v1'],
  versions: ['v1alpha1', 'v1'],
  served: ['v1alpha1', 'v1'],
  requestVersion: 'v1',
  conversion: 'None',
  statusSubresource: true,
}

export interface Stored {
  revision: number
  /** of the bytes */
  version: string
  managedFields?: ManagedFieldsEntry[]
}

export interface Asked {
  method: string
  name: string | undefined
  subresource: string | undefined
  query: URLSearchParams
  body: unknown
}

export interface Answer {
  status: number
  body: unknown
  headers?: Record<string, string>
}

export const status = (code: number, message: string, headers?: Record<string, string>, more: object = {}): Answer => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message, ...more },
  ...(headers && { headers }),
})

/** `lost`: carried out or not, the connection breaks before the answer. */
export type Fault = (asked: Asked, server: PassServer) => Answer | 'lost' | 'carried out and lost' | undefined

export class PassServer {
  readonly objects = new Map<string, Stored>()
  readonly asked: Asked[] = []
  /** answers instead of the server, where it gives one */
  fault: Fault = () => undefined
  mostBusy = 0
  url = ''
  #revision = 1000
  #busy = 0
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** so many objects, their bytes in the version */
  fill(count: number, version: string, prefix = 'w'): this {
    for (let index = 0; index < count; index++) this.write(`${prefix}-${String(index).padStart(5, '0')}`, version)
    return this
  }

  /** a write by somebody else */
  write(name: string, version: string, managedFields?: ManagedFieldsEntry[]): void {
    this.#revision += 1
    this.objects.set(name, { revision: this.#revision, version, ...(managedFields && { managedFields }) })
  }

  /** names of objects by the version of their bytes */
  in(version: string): string[] {
    return [...this.objects].flatMap(([name, stored]) => (stored.version === version ? [name] : []))
  }

  count(wanted: (asked: Asked) => boolean): number {
    return this.asked.filter(wanted).length
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const asked = question(request, Buffer.concat(parts).toString())
    this.#busy += 1
    this.mostBusy = Math.max(this.mostBusy, this.#busy)
    this.asked.push(asked)
    const fault = this.fault(asked, this)
    const answer = fault === undefined || fault === 'carried out and lost' ? this.#answer(asked) : fault
    this.#busy -= 1
    if (fault === 'lost' || fault === 'carried out and lost' || answer === 'lost') {
      response.socket?.destroy()
      return
    }
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
    response.end(JSON.stringify(answer.body))
  }

  #answer(asked: Asked): Answer {
    if (asked.name === undefined) return this.#list(asked.query)
    const stored = this.objects.get(asked.name)
    if (!stored) return status(404, `widgets.bench.example "${asked.name}" not found`)
    if (asked.method === 'PATCH') {
      const refusal = this.#patch(stored, asked)
      if (refusal) return refusal
    }
    return { status: 200, body: { metadata: metadataOf(asked.name, stored) } }
  }

  #patch(stored: Stored, { body }: Asked): Answer | undefined {
    const operations = Array.isArray(body) ? (body as PatchOperation[]) : []
    const named = Array.isArray(body)
      ? operations.find(({ path }) => path === '/metadata/resourceVersion')?.value
      : (body as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion
    if (named !== undefined && named !== String(stored.revision)) return status(409, 'the object has been modified')
    const entries = renamed(stored.managedFields, operations)
    const same =
      stored.version === target.storageVersion && JSON.stringify(entries) === JSON.stringify(stored.managedFields)
    if (same) return undefined
    this.#revision += 1
    Object.assign(
      stored,
      { revision: this.#revision, version: target.storageVersion },
      entries && { managedFields: entries },
    )
    return undefined
  }

  #list(query: URLSearchParams): Answer {
    const names = [...this.objects.keys()].toSorted()
    const after = query.get('continue') ?? ''
    const rest = names.filter((name) => name > after)
    const page = rest.slice(0, Number(query.get('limit')))
    const left = rest.length - page.length
    const items = page.flatMap((name) => {
      const stored = this.objects.get(name)
      return stored ? [{ metadata: metadataOf(name, stored) }] : []
    })
    const metadata = {
      resourceVersion: String(this.#revision),
      ...(left > 0 && { continue: page.at(-1), remainingItemCount: left }),
    }
    return { status: 200, body: { metadata, items } }
  }
}

function question(request: IncomingMessage, text: string): Asked {
  const url = new URL(request.url ?? '/', 'http://server')
  const [, name, subresource] = /\/widgets(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(url.pathname) ?? []
  const body: unknown = text === '' ? undefined : JSON.parse(text)
  return { method: request.method ?? '', name, subresource, query: url.searchParams, body }
}

function metadataOf(name: string, { revision, managedFields }: Stored): object {
  return { name, namespace: 'n', resourceVersion: String(revision), ...(managedFields && { managedFields }) }
}

function renamed(
  entries: ManagedFieldsEntry[] | undefined,
  operations: PatchOperation[],
): ManagedFieldsEntry[] | undefined {
  const result = structuredClone(entries)
  for (const { path, value } of operations) {
    const index = /^\/metadata\/managedFields\/(\d+)\/apiVersion$/.exec(path)?.[1]
    const entry = index === undefined ? undefined : result?.[Number(index)]
    if (entry) entry.apiVersion = String(value)
  }
  return result
}
