/** What crdify's configuration means for our own findings: a validation of crdify is about several of them. */
import type { Change, CrdifyConfig, Level } from './comparison.types.ts'

/** Beginnings of ids, by the validation that sees the same. */
const seenBy: readonly (readonly [validation: string, ids: readonly string[]])[] = [
  [
    'existingFieldRemoval',
    ['crd.property.removed', 'crd.property.renamed', 'crd.property.undeclared', 'crd.property.emptied'],
  ],
  ['scope', ['crd.scope.']],
  ['storedVersionRemoval', ['crd.version.removed-stored']],
  ['default', ['crd.default.']],
  ['description', ['crd.documentation.']],
  ['enum', ['crd.enum.']],
  ['maximum', ['crd.maximum.']],
  ['maxItems', ['crd.max-items.']],
  ['maxLength', ['crd.max-length.']],
  ['maxProperties', ['crd.max-properties.']],
  ['minimum', ['crd.minimum.']],
  ['minItems', ['crd.min-items.']],
  ['minLength', ['crd.min-length.']],
  ['minProperties', ['crd.min-properties.']],
  ['required', ['crd.required.']],
  ['type', ['crd.type.']],
]

/** The level that crdify's configuration gives a finding: never a higher one, as our own level says who is hurt. */
export function enforcedByCrdify(change: Change, level: Level, config: CrdifyConfig): Level | 'none' {
  const validation = seenBy.find(([, ids]) => ids.some((id) => change.id.startsWith(id)))?.[0]
  const settings = validation === undefined ? undefined : config.validations[validation]
  if (change.id === 'crd.enum.value-added' && settings?.configuration['additionPolicy'] === 'Allow') return 'none'
  // What crdify has no validation for it calls unhandled; it knows no such thing outside of schemas.
  const unhandled = validation === undefined && change.path !== '' ? config.unhandledEnforcement : undefined
  const enforcement = settings?.enforcement ?? unhandled
  if (enforcement === 'None') return 'none'
  return enforcement === 'Warn' && level === 'error' ? 'warning' : level
}
