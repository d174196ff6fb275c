import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AnyObject } from '../../kubernetes/objects.ts'
import type { CertificateAndKey } from '../x509.ts'
import { defaultingPatch, violations } from './admission.ts'
import { convertModelDeployment } from './conversion.ts'
import type { Log } from './log.ts'
import { asModelDeployment } from './model-deployment.ts'
import { admissionPath, type Traits } from './traits.ts'

interface AdmissionRequest {
  uid: string
  operation: string
  object: AnyObject
  oldObject?: AnyObject | null
}

interface ConversionRequest {
  uid: string
  desiredAPIVersion: string
  objects: AnyObject[]
}

/** `response` of a review, without its uid. */
type Answer = Record<string, unknown>
type Route = (request: unknown) => Answer | Promise<Answer>

/** Answers an AdmissionReview of the mutating webhook: a JSON patch, base64 as the API demands. */
export function mutate(request: AdmissionRequest): Answer {
  const patch = defaultingPatch(asModelDeployment(request.object))
  if (patch.length === 0) return { allowed: true }
  return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
}

/** Answers an AdmissionReview of the validating webhook. */
export function validate(request: AdmissionRequest, strict: boolean): Answer {
  const old = request.oldObject ? asModelDeployment(request.oldObject) : undefined
  const found = violations(asModelDeployment(request.object), old, { strict })
  if (found.length === 0) return { allowed: true }
  return { allowed: false, status: { code: 422, reason: 'Invalid', message: found.join('; ') } }
}

/** Answers a ConversionReview: all objects or, as the API server wants it, none. */
export function convert(request: ConversionRequest, options: { lossy: boolean }): Answer {
  try {
    const convertedObjects = request.objects.map((object) =>
      convertModelDeployment(asModelDeployment(object), request.desiredAPIVersion, options),
    )
    return { convertedObjects, result: { status: 'Success' } }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { convertedObjects: [], result: { status: 'Failure', message } }
  }
}

/** What a webhook server answers for: a second install may convert and leave admission to the first. */
export interface Served {
  admission: boolean
  conversion: boolean
}

/** Takes the request and leaves the API server waiting until it gives up. */
const never = (): Promise<Answer> => new Promise(() => undefined)

/** Path -> what answers its reviews, for one version of a product. */
export function webhookRoutes(group: string, traits: Traits, served: Served): Map<string, Route> {
  const routes = new Map<string, Route>()
  const silent = traits.fault === 'webhook'
  for (const version of served.admission ? traits.admissionVersions : []) {
    routes.set(
      admissionPath('mutate', group, version),
      silent ? never : (request) => mutate(request as AdmissionRequest),
    )
    routes.set(
      admissionPath('validate', group, version),
      silent ? never : (request) => validate(request as AdmissionRequest, traits.strictAdmission),
    )
  }
  if (served.conversion) routes.set('/convert', (request) => convert(request as ConversionRequest, traits))
  return routes
}

const idleMilliseconds = 120_000

/** A running webhook server; `use` swaps its certificate for new connections. */
export interface WebhookServer {
  readonly port: number
  use(certificate: CertificateAndKey): void
  close(): Promise<void>
}

/** Serves the routes over TLS on 127.0.0.1. It answers from the start, also in a process that is not the leader. */
export async function serveWebhooks(options: {
  port: number
  certificate: CertificateAndKey
  routes: ReadonlyMap<string, Route>
  log: Log
}): Promise<WebhookServer> {
  const { certificate, key } = options.certificate
  const server: Server = createServer({ cert: certificate, key }, (request, response) => {
    void answer(request, response, options.routes).catch((error: unknown) => {
      options.log.error('webhook failed', error, { path: request.url })
      if (!response.headersSent) response.writeHead(400)
      response.end()
    })
  })
  // longer than the API server keeps an idle connection (90 s), so that none is closed under a request
  server.keepAliveTimeout = idleMilliseconds
  const listening = Promise.withResolvers<void>()
  server.once('error', listening.reject)
  server.listen(options.port, '127.0.0.1', listening.resolve)
  await listening.promise
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    use: (next) => server.setSecureContext({ cert: next.certificate, key: next.key }),
    async close() {
      // A server in Go reads each connection in a goroutine of its own, so a review that has arrived is no idle connection.
      // Here it still waits to be read: two turns of the event loop read it.
      for (let turn = 0; turn < 2; turn++) await nextTurn()
      const closed = Promise.withResolvers<void>()
      // reviews in flight are answered, for a while
      const force = setTimeout(() => server.closeAllConnections(), 5000)
      server.close(() => closed.resolve())
      server.closeIdleConnections()
      await closed.promise
      clearTimeout(force)
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: ReadonlyMap<string, Route>,
): Promise<void> {
  const route = routes.get(new URL(request.url ?? '/', 'https://webhook').pathname)
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  if (!route) {
    response.writeHead(404).end('404 page not found')
    return
  }
  const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
    apiVersion: string
    kind: string
    request: { uid: string }
  }
  const body = JSON.stringify({
    apiVersion: review.apiVersion,
    kind: review.kind,
    response: { uid: review.request.uid, ...(await route(review.request)) },
  })
  response.writeHead(200, { 'content-type': 'application/json' }).end(body)
}
