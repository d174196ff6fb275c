/** All rules, by what they look at. A new rule is one entry here. */
import type { ChangeKind } from './comparison.types.ts'
import type { DefinitionPair, NodePair, Rule, VersionPair } from './rule.types.ts'
import { allOf, anyOf, not, oneOf } from './rules/combinators.ts'
import { conversion } from './rules/conversion.ts'
import { defaults } from './rules/defaults.ts'
import { group, names, preserveUnknownEverywhere, scope } from './rules/definition.ts'
import { documentation, keyword } from './rules/documentation.ts'
import { enumeration } from './rules/enums.ts'
import { lengthRules } from './rules/lengths.ts'
import { additionalProperties, items, preserveUnknown } from './rules/maps.ts'
import { embeddedResource, listMapKeys, listType, mapType } from './rules/merging.ts'
import { maximum, minimum, multipleOf } from './rules/numbers.ts'
import { property } from './rules/properties.ts'
import { required } from './rules/required.ts'
import { format, pattern } from './rules/texts.ts'
import { intOrString, nullable, type } from './rules/types.ts'
import { validationRules } from './rules/validation-rules.ts'
import {
  deprecation,
  printerColumns,
  scaleSubresource,
  schemaPresence,
  selectableFields,
  statusSubresource,
} from './rules/version.ts'
import { storage, versions } from './rules/versions.ts'

export const definitionRules: readonly Rule<DefinitionPair>[] = [
  scope,
  group,
  names,
  preserveUnknownEverywhere,
  versions,
  storage,
  conversion,
]

export const versionRules: readonly Rule<VersionPair>[] = [
  schemaPresence,
  statusSubresource,
  scaleSubresource,
  selectableFields,
  printerColumns,
  deprecation,
]

/** What is compared at a node whose types have nothing in common: everything else follows from that. */
export const rulesOfAnyNode: readonly Rule<NodePair>[] = [type, documentation]

export const nodeRules: readonly Rule<NodePair>[] = [
  ...rulesOfAnyNode,
  intOrString,
  nullable,
  enumeration,
  minimum,
  maximum,
  multipleOf,
  ...lengthRules,
  pattern,
  format,
  required,
  defaults,
  property,
  additionalProperties,
  preserveUnknown,
  items,
  allOf,
  anyOf,
  oneOf,
  not,
  validationRules,
  listType,
  listMapKeys,
  mapType,
  embeddedResource,
  keyword,
]

/** One line of the list of rules. */
export interface RuleEntry {
  id: string
  compares: string
  kinds: Readonly<Record<string, ChangeKind>>
}

/** Every rule as what can be told about it. */
export const allRules: readonly RuleEntry[] = [...definitionRules, ...versionRules, ...nodeRules]
