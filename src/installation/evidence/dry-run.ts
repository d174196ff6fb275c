/** Asks the API server whether it would take a definition, without changing anything. */
import type { DryRunEvidence } from '../../crds/comparison/evidence.types.ts'
import type { KubernetesClient } from '../../kubernetes/client.types.ts'
import { ApiError } from '../../kubernetes/errors.ts'
import type { CustomResourceDefinition } from '../../kubernetes/objects.ts'

export interface DryRunOptions {
  /** the definition as it is on the cluster; undefined where there is none */
  live: CustomResourceDefinition | undefined
  signal?: AbortSignal | undefined
}

/**
 * Sends the definition as a dry run, in the place of the live one. Its status is not sent: the API server keeps its own, and holds
 * the new versions to the stored ones there. Labels and annotations of the live one stay, as an installer would leave them.
 */
export async function dryRun(
  client: KubernetesClient,
  definition: CustomResourceDefinition,
  { live, signal }: DryRunOptions,
): Promise<DryRunEvidence> {
  const options = { dryRun: true, ...(signal && { signal }) }
  try {
    if (live === undefined) await client.create(withoutStatus(definition), options)
    else await client.replace(inPlaceOf(live, definition), options)
    return { outcome: 'accepted' }
  } catch (error) {
    return outcomeOf(error)
  }
}

function withoutStatus({ apiVersion, kind, metadata, spec }: CustomResourceDefinition): CustomResourceDefinition {
  const { name, labels = {}, annotations = {} } = metadata
  return { apiVersion, kind, metadata: { name, labels, annotations }, spec }
}

function inPlaceOf(live: CustomResourceDefinition, definition: CustomResourceDefinition): CustomResourceDefinition {
  const { managedFields: _, ...metadata } = live.metadata
  const { labels, annotations, ...named } = metadata
  const sent = withoutStatus(definition)
  return {
    ...sent,
    metadata: {
      ...named,
      labels: { ...labels, ...sent.metadata.labels },
      annotations: { ...annotations, ...sent.metadata.annotations },
    },
  }
}

/** Only what the API server says of the definition counts as a refusal; a missing right or a broken webhook says nothing of it. */
function outcomeOf(error: unknown): DryRunEvidence {
  if (!(error instanceof ApiError) || error.code === 401) throw error
  const { code, message } = error
  if (code === 409) return { outcome: 'unknown', why: 'the definition was changed at the same moment' }
  const refused = code === 422 || code === 400 || (code === 403 && !isMissingRight(message))
  if (!refused) return { outcome: 'unknown', why: message }
  const causes = error.causes.map(({ field = '', message: text = '' }) => ({ field, message: text }))
  return { outcome: 'refused', message, causes }
}

// Admission answers 403 as well. RBAC says who cannot do what: `... is forbidden: User "u" cannot update resource ...`.
function isMissingRight(message: string): boolean {
  return /is forbidden: User .* cannot /.test(message)
}
