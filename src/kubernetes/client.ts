/** The client of an API server: the verbs of the REST API over an exchange of requests and answers. */
import type {
  AccessRequest,
  Collection,
  DeleteOptions,
  KubernetesClient,
  Page,
  PatchOptions,
  PatchType,
  RawRequest,
  RawResponse,
  Resource,
  ServerVersion,
  ServerWarning,
  WatchEvent,
  WriteOptions,
} from './client.types.ts'
import { Discovery } from './discovery.ts'
import { ApiError, isNotFound } from './errors.ts'
import { Exchange, type ExchangeOptions } from './exchange.ts'
import type { AnyObject, KubernetesObject, ObjectReference } from './objects.ts'
import { type ListBody, listBodies, type PageOptions, toPage } from './paging.ts'
import { collectionPath, groupVersionPath, objectPath, splitApiVersion, withQuery } from './resources.ts'
import type { Transport, TransportRequest } from './transport.types.ts'
import { lines } from './watch-lines.ts'
import { type WatchOptions, watchEvents } from './watching.ts'

export interface ClientOptions extends ExchangeOptions {
  transport: Transport
  connection: KubernetesClient['connection']
  fieldManager: string
}

const json = 'application/json'

const contentTypes: Record<PatchType, string> = {
  // A JSON document is YAML too, and every served version knows this type.
  apply: 'application/apply-patch+yaml',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
}

interface TableBody extends ListBody {
  columnDefinitions?: { name: string; priority?: number }[]
  rows?: { cells: unknown[]; object: KubernetesObject }[]
}

/** Implements the client over any transport; `connect` and `replayClient` make one. */
export class Client implements KubernetesClient {
  readonly connection: KubernetesClient['connection']
  readonly #exchange: Exchange
  readonly #discovery: Discovery
  readonly #fieldManager: string

  constructor(options: ClientOptions) {
    this.connection = options.connection
    this.#fieldManager = options.fieldManager
    this.#exchange = new Exchange(options.transport, options)
    this.#discovery = new Discovery((path) => this.#read(path))
  }

  get warnings(): readonly ServerWarning[] {
    return this.#exchange.warnings
  }

  async serverVersion(): Promise<ServerVersion> {
    const version = await this.#read<{ major: string; minor: string; gitVersion: string }>('/version')
    // Providers write minors such as "27+".
    return {
      major: Number.parseInt(version.major, 10),
      minor: Number.parseInt(version.minor, 10),
      gitVersion: version.gitVersion,
    }
  }

  async resource(apiVersion: string, kind: string): Promise<Resource> {
    const resource = await this.findResource(apiVersion, kind)
    if (resource) return resource
    const { group, version } = splitApiVersion(apiVersion)
    throw new ApiError({
      code: 404,
      reason: 'NotFound',
      message: `the server does not serve the kind ${kind} in ${apiVersion}`,
      request: `GET ${groupVersionPath(group, version)}`,
    })
  }

  findResource(apiVersion: string, kind: string): Promise<Resource | undefined> {
    return this.#discovery.find(apiVersion, kind)
  }

  groupVersions(): Promise<Set<string>> {
    return this.#discovery.groupVersions()
  }

  async get<T extends KubernetesObject = AnyObject>(ref: ObjectReference, signal?: AbortSignal): Promise<T> {
    return this.#read<T>(await this.#objectPath(ref), signal)
  }

  async find<T extends KubernetesObject = AnyObject>(
    ref: ObjectReference,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    try {
      return await this.get<T>(ref, signal)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  pages<T extends KubernetesObject = AnyObject>(
    collection: Collection,
    options: PageOptions = {},
  ): AsyncGenerator<Page<T>, void, undefined> {
    return this.#pages<T>(collection, 'plain', options)
  }

  async list<T extends KubernetesObject = AnyObject>(collection: Collection, options: PageOptions = {}): Promise<T[]> {
    const items: T[] = []
    for await (const page of this.pages<T>(collection, options)) for (const item of page.items) items.push(item)
    return items
  }

  metadataPages(
    collection: Collection,
    options: PageOptions = {},
  ): AsyncGenerator<Page<KubernetesObject>, void, undefined> {
    return this.#pages(collection, 'metadata', options)
  }

  async table(
    collection: Collection,
    options: PageOptions = {},
  ): Promise<{ columns: string[]; rows: { cells: unknown[]; object: KubernetesObject }[] }> {
    const resource = await this.resource(collection.apiVersion, collection.kind)
    let shown: { name: string; index: number }[] | undefined
    const rows: { cells: unknown[]; object: KubernetesObject }[] = []
    for await (const body of listBodies<TableBody>(this.#exchange, resource, collection, 'table', options)) {
      // Columns with a priority are for `-o wide`. Only the first page has the definitions.
      shown ??= (body.columnDefinitions ?? []).flatMap(({ name, priority }, index) =>
        priority ? [] : [{ name, index }],
      )
      for (const { cells, object } of body.rows ?? []) {
        rows.push({ cells: shown.map(({ index }) => cells[index]), object })
      }
    }
    return { columns: (shown ?? []).map(({ name }) => name), rows }
  }

  async *watch<T extends KubernetesObject = AnyObject>(
    collection: Collection,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const resource = await this.resource(collection.apiVersion, collection.kind)
    yield* watchEvents<T>(this.#exchange, resource, collection, options)
  }

  async create<T extends KubernetesObject>(object: T, options: WriteOptions = {}): Promise<T> {
    const { apiVersion, kind, metadata } = object
    const resource = await this.resource(apiVersion, kind)
    const path = options.subresource
      ? objectPath(resource, this.#namespace(object.metadata.namespace), metadata.name, options.subresource)
      : collectionPath(resource, this.#namespace(metadata.namespace))
    return this.#write<T>('POST', path, object, json, options)
  }

  async replace<T extends KubernetesObject>(object: T, options: WriteOptions = {}): Promise<T> {
    const path = await this.#objectPath(referenceTo(object), options.subresource)
    return this.#write<T>('PUT', path, object, json, options)
  }

  async patch<T extends KubernetesObject = AnyObject>(
    ref: ObjectReference,
    body: unknown,
    options: PatchOptions,
  ): Promise<T> {
    const path = await this.#objectPath(ref, options.subresource)
    const force = options.type === 'apply' ? options.force : undefined
    return this.#write<T>('PATCH', path, body, contentTypes[options.type], options, { force })
  }

  /** The server refuses an applied object that carries managedFields, as every object that was read does. */
  async apply<T extends KubernetesObject>(object: T, options: WriteOptions & { force?: boolean } = {}): Promise<T> {
    const { managedFields: _, ...metadata } = object.metadata
    return this.patch<T>(referenceTo(object), { ...object, metadata }, { ...options, type: 'apply' })
  }

  async delete(ref: ObjectReference, options: DeleteOptions = {}): Promise<void> {
    const { dryRun, preconditions, propagationPolicy, gracePeriodSeconds, signal } = options
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      ...(preconditions && { preconditions }),
      ...(propagationPolicy && { propagationPolicy }),
      ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
      ...(dryRun && { dryRun: ['All'] }),
    }
    const path = await this.#objectPath(ref)
    await this.#exchange.sendOk(
      withSignal({ method: 'DELETE', path, headers: headers(json), body: JSON.stringify(body) }, signal),
    )
  }

  canI(requests: AccessRequest[], signal?: AbortSignal): Promise<boolean[]> {
    return Promise.all(requests.map((request) => this.#isAllowed(request, signal)))
  }

  async raw(request: RawRequest): Promise<RawResponse> {
    const { method, path, body, contentType = json, accept = json, signal } = request
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const sent = {
      method,
      path,
      headers: { accept, ...(text !== undefined && { 'content-type': contentType }) },
      ...(text !== undefined && { body: text }),
      ...(request.once && { once: true }),
      ...(request.fresh && { fresh: true }),
    }
    const response = await this.#exchange.send(withSignal(sent, signal))
    const joined: Record<string, string> = {}
    for (const [name, value] of Object.entries(response.headers)) joined[name] = [value].flat().join(', ')
    return { status: response.status, headers: joined, text: response.text }
  }

  async *lines(path: string, signal?: AbortSignal): AsyncGenerator<string, void, undefined> {
    const request = { method: 'GET', path, headers: { accept: 'text/plain' } }
    const { body } = await this.#exchange.open(withSignal(request, signal))
    yield* lines(body)
  }

  close(): Promise<void> {
    return this.#exchange.close()
  }

  async *#pages<T extends KubernetesObject>(
    collection: Collection,
    form: 'plain' | 'metadata',
    options: PageOptions,
  ): AsyncGenerator<Page<T>, void, undefined> {
    const resource = await this.resource(collection.apiVersion, collection.kind)
    const bodies = listBodies<ListBody & { items?: T[] }>(this.#exchange, resource, collection, form, options)
    for await (const body of bodies) yield toPage(body, collection, form)
  }

  async #isAllowed(request: AccessRequest, signal: AbortSignal | undefined): Promise<boolean> {
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: request },
    }
    const answer = await this.#exchange.json<{ status?: { allowed?: boolean } }>(
      withSignal(
        {
          method: 'POST',
          path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
          headers: headers(json),
          body: JSON.stringify(review),
        },
        signal,
      ),
    )
    return answer.status?.allowed === true
  }

  #read<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#exchange.json<T>(withSignal({ method: 'GET', path, headers: { accept: json } }, signal))
  }

  #write<T>(
    method: 'POST' | 'PUT' | 'PATCH',
    path: string,
    body: unknown,
    contentType: string,
    options: WriteOptions,
    parameters: Record<string, boolean | undefined> = {},
  ): Promise<T> {
    const target = withQuery(path, {
      ...parameters,
      dryRun: options.dryRun ? 'All' : undefined,
      fieldManager: options.fieldManager ?? this.#fieldManager,
      fieldValidation: options.fieldValidation,
    })
    const request = { method, path: target, headers: headers(contentType), body: JSON.stringify(body) }
    return this.#exchange.json<T>(withSignal(request, options.signal))
  }

  async #objectPath(ref: ObjectReference, subresource?: string): Promise<string> {
    const resource = await this.resource(ref.apiVersion, ref.kind)
    return objectPath(resource, this.#namespace(ref.namespace), ref.name, subresource)
  }

  // As kubectl does: an object that names no namespace is of the connection's.
  #namespace(namespace: string | undefined): string {
    return namespace || this.connection.namespace
  }
}

function referenceTo(object: KubernetesObject): ObjectReference {
  const { name, namespace } = object.metadata
  return { apiVersion: object.apiVersion, kind: object.kind, name, ...(namespace !== undefined && { namespace }) }
}

function headers(contentType: string): Record<string, string> {
  return { accept: json, 'content-type': contentType }
}

function withSignal(request: TransportRequest, signal: AbortSignal | undefined): TransportRequest {
  return signal ? { ...request, signal } : request
}
