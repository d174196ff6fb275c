/** Since when a version, or a field, has been deprecated, by the definitions of earlier releases. */
import type { CustomResourceDefinition } from '../../../kubernetes/objects.ts'
import type { JSONSchema, PathElement, ReleasedDefinition } from '../comparison.types.ts'
import { propertiesOf, schemaOf, schemaOfVersion } from '../schema-reading.ts'

export interface Deprecation {
  /** the release that deprecated it, without a break since */
  since?: string
  /** from that release to the one after the last of the history */
  releases: number
  /** the first release that may withdraw it */
  earliest: string
}

/** `history` is oldest first and ends with the release before the one that is judged. */
export function deprecatedSince(version: string, history: readonly ReleasedDefinition[], needed: number): Deprecation {
  return ledger(history, needed, ({ spec }) =>
    spec.versions.some(({ name, deprecated }) => name === version && deprecated === true),
  )
}

/** The same for a field of one version. A field has no flag: its description says it. */
export function fieldDeprecatedSince(
  { version, path }: { version: string; path: readonly PathElement[] },
  history: readonly ReleasedDefinition[],
  needed: number,
): Deprecation {
  return ledger(history, needed, ({ spec }) => {
    const found = spec.versions.find(({ name }) => name === version)
    const root = found === undefined ? undefined : schemaOfVersion(found)
    return root !== undefined && saysDeprecated(path.reduce(below, root))
  })
}

/** Does the description of a field say that it is deprecated? */
export function saysDeprecated(field: JSONSchema | undefined): boolean {
  const description = field?.['description']
  return typeof description === 'string' && /\bdeprecated\b/i.test(description)
}

function ledger(
  history: readonly ReleasedDefinition[],
  needed: number,
  isDeprecated: (definition: CustomResourceDefinition) => boolean,
): Deprecation {
  const last = history.findLastIndex(({ definition }) => !isDeprecated(definition))
  const since = history[last + 1]?.release
  const releases = history.length - (last + 1)
  return { ...(since !== undefined && { since }), releases, earliest: earliestAfter(since, needed, needed - releases) }
}

function below(schema: JSONSchema, step: PathElement): JSONSchema {
  if (step === 'items') return schemaOf(schema['items'])
  if (step === 'values') return schemaOf(schema['additionalProperties'])
  return propertiesOf(schema).get(step.property) ?? {}
}

function earliestAfter(since: string | undefined, needed: number, missing: number): string {
  const match = /^(v?)(\d+)\.(\d+)\./.exec(since ?? '')
  if (match === null) return `${missing} more release${missing === 1 ? '' : 's'} from now`
  const [, prefix, major, minor] = match
  return `${prefix}${major}.${Number(minor) + needed}.0`
}
