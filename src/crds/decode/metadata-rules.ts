/** What names, labels and other metadata may look like. */
import { isSchema, listOf, schemaOf } from '../comparison/schema-reading.ts'
import type { Invalid } from './decode.types.ts'
import { byteLength } from './go-values.ts'
import { fieldAt, itemAt, type Place, refused } from './outcome.ts'

/** The name of an object of its own is that of a DNS subdomain; an embedded one's needs just fit into a path. */
export type NameRule = 'subdomain' | 'path segment'

/** What the API server refuses of metadata that could be decoded. */
export function validateObjectMeta(meta: Readonly<Record<string, unknown>>, at: Place, names: NameRule): Invalid[] {
  const invalid = (name: string, what: string): Invalid => refused(fieldAt(at, name), 'FieldValueInvalid', what)
  const { name, generateName, namespace } = meta
  const isName = names === 'subdomain' ? isSubdomain : isPathSegment
  const generated = typeof generateName === 'string' ? generateName : ''
  const stem = names === 'subdomain' ? generated.replace(/-$/, 'a') : generated
  const nameless = names === 'subdomain' && name === undefined && generated === ''
  return [
    ...(generated !== '' && !isName(stem) ? [invalid('generateName', 'is no start of a name')] : []),
    ...(typeof name === 'string' && !isName(name) ? [invalid('name', 'is no name')] : []),
    ...(nameless ? [refused(fieldAt(at, 'name'), 'FieldValueRequired', 'name or generateName is required')] : []),
    ...(typeof namespace === 'string' && !isLabelName(namespace) ? [invalid('namespace', 'is no DNS label')] : []),
    ...(Number(meta['generation'] ?? 0) < 0 ? [invalid('generation', 'must be 0 or more')] : []),
    ...validateLabels(meta['labels'], fieldAt(at, 'labels')),
    ...validateAnnotations(meta['annotations'], fieldAt(at, 'annotations')),
    ...validateOwners(meta['ownerReferences'], fieldAt(at, 'ownerReferences')),
    ...validateFinalizers(meta['finalizers'], fieldAt(at, 'finalizers')),
    ...validateManagedFields(meta['managedFields'], fieldAt(at, 'managedFields')),
  ]
}

function isSubdomain(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text)
}

function isLabelName(text: string): boolean {
  return text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)
}

function isPathSegment(text: string): boolean {
  return text !== '.' && text !== '..' && !/[/%]/.test(text)
}

const word = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/

function isQualifiedName(text: string): boolean {
  const parts = text.split('/')
  const [name = '', prefix] = parts.toReversed()
  return parts.length <= 2 && name.length <= 63 && word.test(name) && (prefix === undefined || isSubdomain(prefix))
}

function validateLabels(labels: unknown, at: Place): Invalid[] {
  return Object.entries(schemaOf(labels)).flatMap(([key, value]) => [
    ...(isQualifiedName(key) ? [] : [refused(at, 'FieldValueInvalid', `has a key that is no qualified name: ${key}`)]),
    ...(isLabelValue(String(value))
      ? []
      : [refused(at, 'FieldValueInvalid', `has a value that is none: ${String(value)}`)]),
  ])
}

function isLabelValue(text: string): boolean {
  return text === '' || (text.length <= 63 && word.test(text))
}

const annotationBytes = 256 * 1024

function validateAnnotations(annotations: unknown, at: Place): Invalid[] {
  const entries = Object.entries(schemaOf(annotations))
  const size = entries.reduce((total, [key, value]) => total + byteLength(key) + byteLength(String(value)), 0)
  return [
    ...entries
      .filter(([key]) => !isQualifiedName(key.toLowerCase()))
      .map(([key]) => refused(at, 'FieldValueInvalid', `has a key that is no qualified name: ${key}`)),
    ...(size > annotationBytes ? [refused(at, 'FieldValueTooLong', `has more than ${annotationBytes} bytes`)] : []),
  ]
}

function validateOwners(owners: unknown, at: Place): Invalid[] {
  const list = listOf(owners).filter(isSchema)
  const controllers = list.filter(({ controller }) => controller === true)
  return [
    ...list.flatMap((owner) => validateOwner(owner, at)),
    ...controllers.slice(1).map(() => refused(at, 'FieldValueInvalid', 'has more than one controller')),
  ]
}

function validateOwner({ apiVersion, kind, name, uid }: Readonly<Record<string, unknown>>, at: Place): Invalid[] {
  const version = String(apiVersion)
  // What cannot be parsed has no version.
  const isVersion = version.split('/').length <= 2 && version.split('/').at(-1) !== ''
  const empty = Object.entries({ kind, name, uid }).filter(([, value]) => value === '')
  return [
    ...(isVersion ? [] : [refused(fieldAt(at, 'apiVersion'), 'FieldValueInvalid', 'version must not be empty')]),
    ...empty.map(([field]) => refused(fieldAt(at, field), 'FieldValueInvalid', 'must not be empty')),
    ...(version === 'v1' && kind === 'Event' ? [refused(at, 'FieldValueInvalid', 'an Event owns nothing')] : []),
  ]
}

function validateFinalizers(finalizers: unknown, at: Place): Invalid[] {
  const list = listOf(finalizers).map(String)
  const both = list.includes('orphan') && list.includes('foregroundDeletion')
  return [
    ...list
      .filter((finalizer) => !isQualifiedName(finalizer))
      .map((finalizer) => refused(at, 'FieldValueInvalid', `has no qualified name: ${finalizer}`)),
    ...(both ? [refused(at, 'FieldValueInvalid', 'orphan and foregroundDeletion exclude each other')] : []),
  ]
}

function validateManagedFields(managedFields: unknown, at: Place): Invalid[] {
  return listOf(managedFields)
    .filter(isSchema)
    .flatMap(({ operation, fieldsType = 'FieldsV1' }, index) => {
      const place = itemAt(at, index)
      const isKnown = operation === 'Apply' || operation === 'Update'
      return [
        ...(isKnown ? [] : [refused(fieldAt(place, 'operation'), 'FieldValueInvalid', 'must be Apply or Update')]),
        ...(fieldsType === 'FieldsV1'
          ? []
          : [refused(fieldAt(place, 'fieldsType'), 'FieldValueInvalid', 'must be FieldsV1')]),
      ]
    })
}
