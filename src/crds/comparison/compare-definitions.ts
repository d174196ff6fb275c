/** What has changed from one definition to another, by every rule, before any profile says how much it matters. */
import type { CustomResourceDefinition } from '../../kubernetes/objects.ts'
import { compareSchemas } from './compare-schemas.ts'
import type { Change } from './comparison.types.ts'
import { inOrder } from './order.ts'
import { compareServed, compareStorage } from './pairs.ts'
import type { Rule, Seen } from './rule.types.ts'
import { definitionRules, versionRules } from './rules.ts'
import { canonical, schemaOfVersion } from './schema-reading.ts'
import { showPath } from './typed-path.ts'

/**
 * Compares two definitions of one kind, in one direction: the definition itself, each version that both have, the storage
 * versions, and the served versions of `after` against each other. The way back is the same with the two swapped.
 * Throws TooDeep where a schema nests deeper than an API server would take.
 */
export function compareDefinitions(before: CustomResourceDefinition, after: CustomResourceDefinition): Change[] {
  const pairs = [...compareStorage(before, after), ...compareServed(before, after)]
  return inOrder([
    ...changesOf(definitionRules, { before, after }, 'definition', ''),
    ...compareVersions(before, after),
    ...withoutRepetition(pairs),
  ])
}

/** Asks each rule about one subject. */
export function changesOf<Subject>(
  rules: readonly Rule<Subject>[],
  subject: Subject,
  scope: Change['scope'],
  version: string,
): Change[] {
  return rules.flatMap((rule) => {
    const changes: Change[] = []
    rule.compare(subject, (name, seen) => changes.push(changeOf(rule, name, { scope, version, ...seen })))
    return changes
  })
}

function compareVersions(before: CustomResourceDefinition, after: CustomResourceDefinition): Change[] {
  return before.spec.versions.flatMap((old) => {
    const now = after.spec.versions.find(({ name }) => name === old.name)
    if (now === undefined) return []
    const [oldSchema, newSchema] = [schemaOfVersion(old), schemaOfVersion(now)]
    const place = { scope: 'same-version', version: old.name } as const
    const schemas = oldSchema !== undefined && newSchema !== undefined ? compareSchemas(oldSchema, newSchema) : []
    return [
      ...changesOf(versionRules, { before: old, after: now }, place.scope, place.version),
      ...schemas.map((change) => ({ ...change, ...place })),
    ]
  })
}

function changeOf<Subject>(
  rule: Rule<Subject>,
  name: string,
  seen: Seen & { scope: Change['scope']; version: string },
): Change {
  const kind = rule.kinds[name]
  if (kind === undefined) throw new Error(`the rule ${rule.id} has no change named ${name}`)
  return {
    id: `${rule.id}.${name}`,
    scope: seen.scope,
    version: seen.version,
    path: seen.path === undefined ? '' : showPath(seen.path),
    ...(seen.before !== undefined && { before: seen.before }),
    ...(seen.after !== undefined && { after: seen.after }),
    audiences: [...(seen.audiences ?? kind.audiences)],
    level: seen.level ?? kind.level,
  }
}

/** The storage versions may both be served: the same difference is said once, of stored objects. */
function withoutRepetition(changes: readonly Change[]): Change[] {
  const said = new Set<string>()
  return changes.filter(({ id, version, path, before, after }) => {
    const key = canonical([id, version, path, before, after])
    return said.size < said.add(key).size
  })
}
