/** crdify's own verdicts, and those of the operator lifecycle manager, which runs crdify with other settings. */
import type { Audience, ChangeKind, CrdifyConfig } from '../comparison.types.ts'
import type { Profile } from '../profile.types.ts'
import { breaks } from '../rule.ts'
import { crdifyChanges, crdifyValidations } from './crdify.ts'

const everybody: readonly Audience[] = ['writer', 'reader', 'stored']

const titles: Readonly<Record<string, string>> = {
  existingFieldRemoval: 'a field is gone',
  scope: 'objects live elsewhere now',
  storedVersionRemoval: 'a version is gone in which objects are stored',
  default: 'a default has come, gone or changed',
  description: 'the description has changed',
  enum: 'the closed list of values has changed',
  required: 'fields are required that were not',
  type: 'the field has another type',
  unhandled: 'something changed that no validation of crdify handles',
}

const kinds: Readonly<Record<string, ChangeKind>> = Object.fromEntries(
  [...crdifyValidations, 'unhandled'].map((name) => [
    `crdify.${name}`,
    breaks(
      everybody,
      titles[name] ?? `the limit ${name} is new or tighter`,
      `The validation ${name} of crdify fails. It does not ask who is hurt.`,
      'Compare with the profile kubernetes, which says who is hurt and what to do; or set the enforcement of the validation.',
    ),
  ]),
)

const untouched: CrdifyConfig = { validations: {} }

export const strict: Profile = {
  name: 'strict',
  title: 'the verdicts of crdify v0.5.0 with its default configuration',
  levels: [],
  policies: [],
  policiesForNew: [],
  changes: crdifyChanges,
  kinds,
  crdify: untouched,
}

export const olm: Profile = {
  ...strict,
  name: 'olm',
  title: 'the check that the operator lifecycle manager does before it installs or upgrades an operator',
  crdify: {
    conversion: 'Ignore',
    validations: {
      description: { enforcement: 'None', configuration: {} },
      enum: { enforcement: 'Error', configuration: { additionPolicy: 'Allow' } },
    },
  },
}
