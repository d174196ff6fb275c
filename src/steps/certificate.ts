/** The CA of the webhook certificate, put where the API server needs it. Pure. */
import type {
  AnyObject,
  CustomResourceDefinition,
  Secret,
  WebhookClientConfig,
  WebhookConfiguration,
} from '../kubernetes/objects.ts'

const withBundle = <T extends { clientConfig?: WebhookClientConfig }>(holder: T, caBundle: string): T =>
  holder.clientConfig?.service === undefined
    ? holder
    : { ...holder, clientConfig: { ...holder.clientConfig, caBundle } }

/**
 * The object with `caBundle` in each client configuration that names a Service: webhooks of a webhook configuration, and
 * the conversion webhook of a CRD. Without it a webhook that a release adds would be refused by the API server (unknown
 * authority) until the controller's certificate rotator gets to it.
 */
export const withCertificateAuthority = (object: AnyObject, caBundle: string): AnyObject => {
  if (object.kind === 'MutatingWebhookConfiguration' || object.kind === 'ValidatingWebhookConfiguration') {
    const { webhooks } = object as unknown as WebhookConfiguration
    return webhooks === undefined ? object : { ...object, webhooks: webhooks.map((each) => withBundle(each, caBundle)) }
  }
  if (object.kind !== 'CustomResourceDefinition') return object
  const { spec } = object as unknown as CustomResourceDefinition
  const webhook = spec.conversion?.webhook
  if (!webhook) return object
  return { ...object, spec: { ...spec, conversion: { ...spec.conversion, webhook: withBundle(webhook, caBundle) } } }
}

/** `ca.crt` of the certificate Secret (base64, as `caBundle` wants it); undefined where the rotator has not filled it yet. */
export const authorityOf = (secret: Secret | undefined): string | undefined => secret?.data?.['ca.crt'] || undefined
