import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
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
export function convert(request: ConversionRequest): Answer {
  try {
    const convertedObjects = request.objects.map((object) =>
      convertModelDeployment(asModelDeployment(object), request.desiredAPIVersion),
    )
    return { convertedObjects, result: { status: 'Success' } }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { convertedObjects: [], result: { status: 'Failure', message } }
  }
}

/** Path -> what answers its reviews, for one version of a product. */
export function webhookRoutes(group: string, traits: Traits): Map<string, (request: unknown) => Answer> {
  const routes = new Map<string, (request: unknown) => Answer>()
  for (const version of traits.admissionVersions) {
    routes.set(admissionPath('mutate', group, version), (request) => mutate(request as AdmissionRequest))
    routes.set(admissionPath('validate', group, version), (request) =>
      validate(request as AdmissionRequest, traits.strictAdmission),
    )
  }
  if (traits.conversion) routes.set('/convert', (request) => convert(request as ConversionRequest))
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
  routes: ReadonlyMap<string, (request: unknown) => Answer>
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
  routes: ReadonlyMap<string, (request: unknown) => Answer>,
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
    response: { uid: review.request.uid, ...route(review.request) },
  })
  response.writeHead(200, { 'content-type': 'application/json' }).end(body)
}
