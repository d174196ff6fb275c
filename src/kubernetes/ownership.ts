/** Who owns the fields of an object, and how ownership passes from an installer to this tool. Pure. */
import { difference, type FieldsV1, isEmpty, project, union } from './field-set.ts'
import type { AnyObject, KubernetesObject, ManagedFieldsEntry, ObjectMeta } from './objects.ts'

/** The annotation in which client-side apply keeps what was applied last. */
export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

const lastApplied: FieldsV1 = { 'f:metadata': { 'f:annotations': { [`f:${lastAppliedAnnotation}`]: {} } } }

/**
 * The managedFields that an object has once the named installers' fields are this manager's, as if it had applied
 * them: what client-go's csaupgrade does before the first server-side apply, so that fields which the next release
 * drops go away. Entries of installers count whatever their operation, but not those of a subresource. A set is only
 * joined with sets of the same apiVersion; others of an installer are dropped, as there, for their paths may mean
 * something else. The last-applied annotation leaves the set: the caller deletes it from the object.
 * Undefined where none of the installers has an entry.
 */
export function takeOver(
  object: KubernetesObject,
  options: { installers: readonly string[]; manager: string },
): { managedFields: ManagedFieldsEntry[] } | undefined {
  const entries = object.metadata.managedFields ?? []
  const own = entries.find(
    (entry) => entry.manager === options.manager && entry.operation === 'Apply' && !entry.subresource,
  )
  const taken = entries.filter((entry) => entry !== own && isOf(entry, options.installers))
  const target = own ?? latest(taken)
  if (taken.length === 0 || target === undefined) return undefined
  const joined = [target, ...taken].filter((entry) => entry.apiVersion === target.apiVersion)
  const fields = difference(union(...joined.map((entry) => entry.fieldsV1 ?? {})), lastApplied)
  const result = {
    ...target,
    manager: options.manager,
    operation: 'Apply',
    fieldsV1: withoutHollowAnnotations(fields),
  } as const
  const others = entries.filter((entry) => entry !== own && !taken.includes(entry))
  return { managedFields: [result, ...others] }
}

/**
 * The JSON patch that carries a take-over out: the new managedFields, without the last-applied annotation, on the very
 * object that was read (its resourceVersion is written too, so a change in between is a conflict). Undefined where
 * there is nothing to take over.
 */
export function takeOverPatch(
  object: KubernetesObject,
  options: { installers: readonly string[]; manager: string },
): Record<string, unknown>[] | undefined {
  const result = takeOver(object, options)
  if (!result) return undefined
  const annotation = `/metadata/annotations/${lastAppliedAnnotation.replaceAll('/', '~1')}`
  const annotated = object.metadata.annotations?.[lastAppliedAnnotation] !== undefined
  return [
    { op: 'replace', path: '/metadata/managedFields', value: result.managedFields },
    ...(annotated ? [{ op: 'remove', path: annotation }] : []),
    { op: 'replace', path: '/metadata/resourceVersion', value: object.metadata.resourceVersion },
  ]
}

/**
 * The object as these managers applied it: apiVersion, kind, name, namespace and the fields they own, with the values
 * they have now (client-go's ExtractInto). Applied again it changes no value. Subresources and the last-applied
 * annotation are left out, and so are sets of another apiVersion than the object's. Where they own nothing, what is
 * left is apiVersion, kind, name and namespace.
 */
export function appliedConfiguration(object: KubernetesObject, managers: readonly string[]): AnyObject {
  const entries = (object.metadata.managedFields ?? []).filter(
    (entry) => isOf(entry, managers) && entry.apiVersion === object.apiVersion,
  )
  const set = union(...entries.map((entry) => entry.fieldsV1 ?? {}))
  const { metadata, ...fields } = (project(object, set) ?? {}) as Partial<AnyObject>
  const { name, namespace } = object.metadata
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { name, ...(namespace !== undefined && { namespace }), ...withoutLastApplied(metadata) },
    ...fields,
  }
}

// Taken off the result, not off the set: an annotations map whose last named field goes would stand for all of them.
function withoutLastApplied(metadata: Partial<ObjectMeta> | undefined): Partial<ObjectMeta> {
  if (!metadata?.annotations) return { ...metadata }
  const { annotations, ...rest } = metadata
  const { [lastAppliedAnnotation]: _, ...others } = annotations
  return Object.keys(others).length > 0 ? { ...rest, annotations: others } : rest
}

function withoutHollowAnnotations(fields: FieldsV1): FieldsV1 {
  const hollow = { 'f:metadata': { 'f:annotations': {} } }
  const metadata = fields['f:metadata'] as FieldsV1 | undefined
  const annotations = metadata?.['f:annotations'] as FieldsV1 | undefined
  return annotations && isEmpty(annotations) ? difference(fields, hollow) : fields
}

function isOf(entry: ManagedFieldsEntry, managers: readonly string[]): boolean {
  return entry.manager !== undefined && managers.includes(entry.manager) && !entry.subresource
}

function latest(entries: ManagedFieldsEntry[]): ManagedFieldsEntry | undefined {
  return entries.toSorted((left, right) => (right.time ?? '').localeCompare(left.time ?? ''))[0]
}
