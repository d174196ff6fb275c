/** How objects get from one version to another: not at all (`None` changes just the apiVersion), or by a webhook. */
import type { CustomResourceDefinition } from '../../../kubernetes/objects.ts'
import { breaks, rule, tells, warns } from '../rule.ts'
import type { DefinitionPair } from '../rule.types.ts'
import { same, schemaOf, shapeOf, stringsOf } from '../schema-reading.ts'
import { comparePriority } from '../version-priority.ts'

/** The strategy of a definition: None where it names none. */
export function strategyOf(crd: CustomResourceDefinition): 'None' | 'Webhook' {
  return crd.spec.conversion?.strategy === 'Webhook' ? 'Webhook' : 'None'
}

/** The pairs of versions that no webhook converts although their schemas differ, lower priority first. */
function unconverted(crd: CustomResourceDefinition): [string, string][] {
  if (strategyOf(crd) === 'Webhook') return []
  const known = crd.spec.versions
    .filter(({ served, storage }) => served || storage)
    .map(({ name, schema }) => ({ name, shape: shapeOf(schema?.openAPIV3Schema) }))
    .toSorted((one, other) => comparePriority(other.name, one.name))
  return known.flatMap((from, index) =>
    known
      .slice(index + 1)
      .filter((to) => to.shape !== from.shape)
      .map((to): [string, string] => [from.name, to.name]),
  )
}

export const conversion = rule({
  id: 'crd.conversion',
  compares: 'the conversion strategy and its webhook',
  kinds: {
    'none-between-different-schemas': breaks(
      ['reader', 'stored'],
      'versions differ, but nothing converts between them',
      'With strategy None the API server changes just the apiVersion: fields that the other version lacks are dropped, others keep values that it refuses.',
      'Add a conversion webhook, or give the versions the same schema.',
    ),
    'webhook-removed': breaks(
      ['reader', 'stored'],
      'the conversion webhook is gone, but the versions differ',
      'Objects stored in one version are read in the other one as if they were of it.',
      'Keep the webhook until all objects are stored in one version, and just that one is served.',
    ),
    'webhook-no-longer-needed': tells(
      [],
      'the conversion webhook is gone',
      'No two versions differ.',
      'Nothing to do.',
    ),
    'webhook-added': tells(
      [],
      'a webhook converts between versions now',
      'While it does not answer, objects stored in another version than the one asked for can be neither read nor written.',
      'See that it answers before the definition refers to it.',
    ),
    'review-version-removed': breaks(
      ['writer', 'reader', 'stored'],
      'the webhook does not understand conversion reviews v1 any more',
      'API servers send just v1: no conversion succeeds.',
      'Keep v1 among the conversionReviewVersions.',
    ),
    'client-config-missing': breaks(
      ['writer', 'reader', 'stored'],
      'the conversion webhook has no address',
      'The API server refuses a webhook without a service and without a URL.',
      'Name the service.',
    ),
    'client-config-changed': warns(
      ['writer', 'reader', 'stored'],
      'the conversion webhook is somewhere else',
      'While it does not answer there, objects stored in another version can be neither read nor written.',
      'See that it answers there before the definition says so.',
    ),
    'ca-invalid': breaks(
      ['writer', 'reader', 'stored'],
      'the certificate authority of the conversion webhook is none',
      'caBundle is no certificate in PEM: the API server refuses it or trusts no answer.',
      'Leave it out where a controller injects it.',
    ),
  },
  compare: ({ before, after }: DefinitionPair, see) => {
    const [old, now] = [strategyOf(before), strategyOf(after)]
    const strategies = { before: old, after: now }
    if (old === 'None' && now === 'Webhook') see('webhook-added', strategies)
    const pairs = unconverted(after)
    if (old === 'Webhook' && now === 'None') {
      see(pairs.length > 0 ? 'webhook-removed' : 'webhook-no-longer-needed', strategies)
    }
    const existing = new Set(unconverted(before).map(String))
    for (const [from, to] of pairs) {
      if (existing.has(String([from, to]))) continue
      see('none-between-different-schemas', { scope: 'served-pair', version: `${from} -> ${to}`, ...strategies })
    }
    if (now === 'Webhook') compareWebhooks(before, after, see)
  },
})

type WebhookKind = 'review-version-removed' | 'client-config-missing' | 'client-config-changed' | 'ca-invalid'

function compareWebhooks(
  before: CustomResourceDefinition,
  after: CustomResourceDefinition,
  see: (kind: WebhookKind, seen: { before?: unknown; after?: unknown }) => void,
): void {
  const [old, now] = [webhookOf(before), webhookOf(after)]
  if (!now.reviewVersions.includes('v1') && (!old.exists || old.reviewVersions.includes('v1'))) {
    see('review-version-removed', { before: old.reviewVersions, after: now.reviewVersions })
  }
  if (now.address === undefined) {
    if (!old.exists || old.address !== undefined) see('client-config-missing', { before: old.address })
  } else if (old.address !== undefined && !same(old.address, now.address)) {
    see('client-config-changed', { before: old.address, after: now.address })
  }
  if (now.ca !== undefined && now.ca !== old.ca && !isPem(now.ca)) see('ca-invalid', {})
}

function webhookOf(crd: CustomResourceDefinition) {
  const webhook = schemaOf(crd.spec.conversion?.webhook)
  const { caBundle, ...config } = schemaOf(webhook['clientConfig'])
  const { service, url } = config
  return {
    exists: strategyOf(crd) === 'Webhook',
    reviewVersions: stringsOf(webhook['conversionReviewVersions']),
    // The API server fills the port in.
    address: service === undefined ? url : { port: 443, ...schemaOf(service) },
    ca: typeof caBundle === 'string' && caBundle !== '' ? caBundle : undefined,
  }
}

function isPem(base64: string): boolean {
  return Buffer.from(base64, 'base64').toString('latin1').includes('-----BEGIN CERTIFICATE-----')
}
