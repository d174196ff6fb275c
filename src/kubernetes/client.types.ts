/** What the rest of the house may ask of an API server. `client.ts` implements it over one pool of HTTP/1.1 connections. */
import type { AnyObject, KubernetesObject, ObjectReference } from './objects.ts'

/** The connection flags of kubectl, by their kubectl names. */
export interface ConnectionFlags {
  kubeconfig?: string
  context?: string
  cluster?: string
  user?: string
  namespace?: string
  server?: string
  token?: string
  as?: string
  asGroup?: string[]
  asUid?: string
  requestTimeout?: string
  insecureSkipTlsVerify?: boolean
  tlsServerName?: string
  certificateAuthority?: string
  clientCertificate?: string
  clientKey?: string
}

/** How a kind is addressed over REST. */
export interface Resource {
  group: string
  version: string
  plural: string
  kind: string
  namespaced: boolean
}

/** All objects of one resource, or those of one namespace. */
export interface Collection {
  apiVersion: string
  kind: string
  namespace?: string
  labelSelector?: string
  fieldSelector?: string
}

export interface WriteOptions {
  dryRun?: boolean
  fieldManager?: string
  /** 'Strict' makes unknown fields an error; the default here is 'Warn', the API server's own. */
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
  subresource?: string
  signal?: AbortSignal
}

export type PatchType = 'apply' | 'merge' | 'json' | 'strategic'

export interface PatchOptions extends WriteOptions {
  type: PatchType
  /** Server-side apply only: take fields that another manager owns. */
  force?: boolean
}

export interface DeleteOptions {
  dryRun?: boolean
  preconditions?: { uid?: string; resourceVersion?: string }
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  gracePeriodSeconds?: number
  signal?: AbortSignal
}

export interface WatchEvent<T = AnyObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  object: T
}

export interface ServerVersion {
  major: number
  minor: number
  gitVersion: string
}

export interface Page<T> {
  items: T[]
  resourceVersion: string
  continue?: string
  remainingItemCount?: number
}

/** One access review: may the current user do this? */
export interface AccessRequest {
  verb: string
  group: string
  resource: string
  subresource?: string
  namespace?: string
  name?: string
}

/** A `Warning` header as an API server sent it, with the request that caused it. */
export interface ServerWarning {
  request: string
  text: string
}

export interface RawRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** path and query, for example `/readyz?verbose` */
  path: string
  body?: unknown
  contentType?: string
  accept?: string
  signal?: AbortSignal
  /** never sent again by the client, not even after 429: the caller has a pace of its own */
  once?: boolean
  /** over a connection of its own, closed afterwards: behind a load balancer it may reach another API server */
  fresh?: boolean
}

export interface RawResponse {
  status: number
  headers: Record<string, string>
  text: string
}

export interface KubernetesClient {
  /** For messages: the context, the server's URL and the user name (never credentials). */
  readonly connection: { context?: string; server: string; user?: string; namespace: string }
  /** `Warning` headers seen so far, each once. */
  readonly warnings: readonly ServerWarning[]

  serverVersion(): Promise<ServerVersion>
  /** Resolves a kind by discovery; throws ApiError NotFound where it is not served. */
  resource(apiVersion: string, kind: string): Promise<Resource>
  /** Like `resource`, but undefined where the kind is not served. */
  findResource(apiVersion: string, kind: string): Promise<Resource | undefined>
  /** Group versions served now, such as `apps/v1`. */
  groupVersions(): Promise<Set<string>>

  get<T extends KubernetesObject = AnyObject>(ref: ObjectReference, signal?: AbortSignal): Promise<T>
  /** Like `get`, but undefined where the object (or its kind) does not exist. */
  find<T extends KubernetesObject = AnyObject>(ref: ObjectReference, signal?: AbortSignal): Promise<T | undefined>
  /** Pages of at most `limit` (500) objects; a 410 in the middle goes on with the inconsistent continue token. */
  pages<T extends KubernetesObject = AnyObject>(
    collection: Collection,
    options?: { limit?: number; signal?: AbortSignal },
  ): AsyncIterable<Page<T>>
  /** All pages, collected. For small collections. `exact`: integers beyond 2^53 stay as they are, see `parseExact`. */
  list<T extends KubernetesObject = AnyObject>(
    collection: Collection,
    options?: { limit?: number; signal?: AbortSignal; exact?: boolean },
  ): Promise<T[]>
  /** Metadata only (PartialObjectMetadata): never reads specs. */
  metadataPages(
    collection: Collection,
    options?: { limit?: number; signal?: AbortSignal },
  ): AsyncIterable<Page<KubernetesObject>>
  /** Printer columns, as `kubectl get` shows them (Table). */
  table(
    collection: Collection,
    options?: { limit?: number; signal?: AbortSignal },
  ): Promise<{ columns: string[]; rows: { cells: unknown[]; object: KubernetesObject }[] }>
  /** Events from `resourceVersion` on; ends when the server ends the watch, throws ApiError Expired on 410. */
  watch<T extends KubernetesObject = AnyObject>(
    collection: Collection,
    options: { resourceVersion: string; timeoutSeconds?: number; signal?: AbortSignal },
  ): AsyncIterable<WatchEvent<T>>

  create<T extends KubernetesObject>(object: T, options?: WriteOptions): Promise<T>
  replace<T extends KubernetesObject>(object: T, options?: WriteOptions): Promise<T>
  patch<T extends KubernetesObject = AnyObject>(ref: ObjectReference, body: unknown, options: PatchOptions): Promise<T>
  /** Server-side apply of the object as field manager `kubectl-airunway` unless told otherwise. */
  apply<T extends KubernetesObject>(object: T, options?: WriteOptions & { force?: boolean }): Promise<T>
  delete(ref: ObjectReference, options?: DeleteOptions): Promise<void>

  /** SelfSubjectAccessReview for each request, in order. */
  canI(requests: AccessRequest[], signal?: AbortSignal): Promise<boolean[]>
  raw(request: RawRequest): Promise<RawResponse>
  /** The lines of a text that is too long to hold, such as `/metrics`. Throws ApiError where the answer is no success. */
  lines(path: string, signal?: AbortSignal): AsyncIterable<string>
  close(): Promise<void>
}
