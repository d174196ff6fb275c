import type { Collection, KubernetesClient } from '../../kubernetes/client.types.ts'
import { isNotFound } from '../../kubernetes/errors.ts'
import type {
  AnyObject,
  CustomResourceDefinition,
  KubernetesObject,
  ObjectReference,
  Secret,
  WebhookConfiguration,
} from '../../kubernetes/objects.ts'
import type { CertificateAndKey } from '../x509.ts'
import { certificateProblem, issueServingCertificates } from './certificates.ts'
import { startInformer } from './informer.ts'
import type { Log } from './log.ts'
import { startWorkQueue } from './work-queue.ts'

/**
 * The object with `caBundle` in all its webhooks (of a webhook configuration) or in its conversion webhook (of a CRD);
 * undefined where nothing would change.
 */
export function withCaBundle<T extends KubernetesObject>(object: T, caBundle: string): T | undefined {
  if (object.kind === 'CustomResourceDefinition') return crdWithCaBundle(object, caBundle)
  const { webhooks = [] } = object as KubernetesObject as WebhookConfiguration
  if (webhooks.every((one) => one.clientConfig.caBundle === caBundle)) return undefined
  return { ...object, webhooks: webhooks.map((one) => ({ ...one, clientConfig: { ...one.clientConfig, caBundle } })) }
}

function crdWithCaBundle<T extends KubernetesObject>(object: T, caBundle: string): T | undefined {
  const { spec } = object as KubernetesObject as CustomResourceDefinition
  const webhook = spec.conversion?.strategy === 'Webhook' ? spec.conversion.webhook : undefined
  if (!webhook?.clientConfig || webhook.clientConfig.caBundle === caBundle) return undefined
  const clientConfig = { ...webhook.clientConfig, caBundle }
  return { ...object, spec: { ...spec, conversion: { ...spec.conversion, webhook: { ...webhook, clientConfig } } } }
}

export interface RotatorOptions {
  client: KubernetesClient
  secret: ObjectReference & { namespace: string }
  dnsName: string
  /** webhook configurations and CRDs that carry the CA */
  targets: ObjectReference[]
  log: Log
  signal: AbortSignal
  /** Called once, when the Secret is good and the CA stands in every target. */
  onReady: (certificate: CertificateAndKey) => void
}

/**
 * Keeps the webhook certificates as cert-controller does, in every replica, leader or not: fills the Secret when it
 * holds nothing valid for its own DNS name, and writes the CA into every target whenever the Secret or a target changes.
 * Two rotators with different Secrets therefore overwrite each other for ever. The Secret is only ever updated: throws
 * an Error where it does not exist.
 */
export async function startCertificateRotator(options: RotatorOptions): Promise<void> {
  const found = await options.client.find<Secret>(options.secret, options.signal)
  if (!found) throw new Error(`Secret "${options.secret.name}" not found`)
  let ready = false
  const queue = startWorkQueue(async () => {
    const data = await ensureSecret(options)
    let missing = 0
    for (const target of options.targets) missing += (await injectCa(options, target, data['ca.crt'])) ? 0 : 1
    if (ready || missing > 0) return undefined
    ready = true
    options.onReady({ certificate: data['tls.crt'], key: data['tls.key'] })
    return undefined
  }, options.log)
  options.signal.addEventListener('abort', () => queue.stop(), { once: true })
  for (const watched of [options.secret, ...options.targets]) {
    const { client, log, signal } = options
    startInformer({ client, collection: onlyNamed(watched), log, signal, onEvent: () => queue.add('certificates') })
  }
}

const onlyNamed = (ref: ObjectReference): Collection => ({
  apiVersion: ref.apiVersion,
  kind: ref.kind,
  ...(ref.namespace ? { namespace: ref.namespace } : {}),
  fieldSelector: `metadata.name=${ref.name}`,
})

async function ensureSecret(
  options: RotatorOptions,
): Promise<{ 'ca.crt': string; 'tls.crt': string; 'tls.key': string }> {
  const secret = await options.client.get<Secret>(options.secret, options.signal)
  const data = Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  )
  const problem = certificateProblem(data, options.dnsName, new Date())
  const { 'ca.crt': ca, 'tls.crt': certificate, 'tls.key': key } = data
  if (!problem && ca && certificate && key) return { 'ca.crt': ca, 'tls.crt': certificate, 'tls.key': key }
  options.log.info('refreshing CA and server certs', { reason: problem })
  const issued = issueServingCertificates(options.dnsName, new Date())
  const encoded: Record<string, string> = { ...secret.data }
  for (const [name, value] of Object.entries(issued)) encoded[name] = Buffer.from(String(value)).toString('base64')
  await options.client.replace({ ...secret, data: encoded }, { signal: options.signal })
  return issued
}

/** Gives false where the target does not exist (yet). */
async function injectCa(options: RotatorOptions, target: ObjectReference, ca: string): Promise<boolean> {
  try {
    const object = await options.client.get<AnyObject>(target, options.signal)
    const changed = withCaBundle(object, Buffer.from(ca).toString('base64'))
    if (!changed) return true
    options.log.info('ensuring CA cert', { kind: target.kind, name: target.name })
    await options.client.replace(changed, { signal: options.signal })
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}
