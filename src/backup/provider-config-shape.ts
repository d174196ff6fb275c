/**
 * InferenceProviderConfigs in the forms of two releases. Pure. AI Runway v0.6.0 made `engines` a list of objects within
 * v1alpha1 and moved into each what had stood beside the list; the API server prunes the latter before its own migration
 * can read it, so the values come from a back-up here.
 */
import type { AnyObject } from '../kubernetes/objects.ts'
import type { ProviderConfigChanges } from '../releases/release.types.ts'

type Fields = Record<string, unknown>
type ListChange = ProviderConfigChanges['itemsToObjects'][number]

/** The object with a form, or what of it cannot get that form. */
type Shaped = { object: AnyObject } | { unreadable: string }

/**
 * The live object in the new form. `saved` is the same object as it was before the CRD changed; undefined where it was not
 * there, and then only an object that has the new form by itself is understood.
 */
export function intoNewForm(live: AnyObject, saved: AnyObject | undefined, changes: ProviderConfigChanges): Shaped {
  let object = live
  for (const change of changes.itemsToObjects) {
    const items = valueAt(object, change.field)
    const old = Array.isArray(items) && items.some((item) => !isFields(item))
    if (old && saved === undefined) return { unreadable: change.field }
    if (Array.isArray(items) && old) object = withObjects(object, items, saved, change)
    object = withoutFields(object, besides(change))
  }
  for (const { field, annotation } of changes.toAnnotations) {
    const value = valueAt(object, field) ?? (saved && valueAt(saved, field))
    if (value !== undefined && object.metadata.annotations?.[annotation] === undefined)
      object = withAnnotations(object, { [annotation]: typeof value === 'string' ? value : JSON.stringify(value) })
    object = withoutFields(object, [field])
  }
  return { object }
}

/** The object in the form of before: what stood beside a list gets what all its items have. */
export function intoOldForm(object: AnyObject, changes: ProviderConfigChanges): Shaped {
  let shaped = object
  for (const change of changes.itemsToObjects) {
    const items = valueAt(shaped, change.field)
    if (!Array.isArray(items) || !items.some(isFields)) continue
    const plain = items.map((item: unknown) => (isFields(item) ? item[change.key] : item))
    if (plain.includes(undefined)) return { unreadable: change.field }
    shaped = withValue(shaped, change.field, plain)
    for (const name of change.copied) {
      const common = sharedBy(items.filter(isFields).map((item) => item[name]))
      if (common !== undefined) shaped = withValue(shaped, beside(change, name), common)
    }
  }
  for (const { field, annotation } of changes.toAnnotations) {
    const text = shaped.metadata.annotations?.[annotation]
    if (text !== undefined && valueAt(shaped, field) === undefined) shaped = withValue(shaped, field, parsed(text))
  }
  return { object: withoutAnnotations(shaped, changes) }
}

/** The object with nothing in its lists that the form of before cannot hold. */
export function withoutUnreadable(object: AnyObject, { itemsToObjects }: ProviderConfigChanges): AnyObject {
  return itemsToObjects.reduce((reduced, { field }) => {
    const items = valueAt(reduced, field)
    return Array.isArray(items)
      ? withValue(
          reduced,
          field,
          items.filter((item) => !isFields(item)),
        )
      : reduced
  }, object)
}

/** The live object with the spec of a back-up, and of the annotations that belong to a form just those of the back-up. */
export function asSaved(live: AnyObject, saved: AnyObject, changes: ProviderConfigChanges): AnyObject {
  const own = changes.toAnnotations.flatMap(({ annotation }) => {
    const text = saved.metadata.annotations?.[annotation]
    return text === undefined ? [] : [[annotation, text] as const]
  })
  const bare = withoutAnnotations(live, changes)
  return { ...(own.length === 0 ? bare : withAnnotations(bare, Object.fromEntries(own))), spec: saved['spec'] }
}

const beside = ({ field }: ListChange, name: string): string => [...field.split('.').slice(0, -1), name].join('.')

const besides = (change: ListChange): string[] => change.copied.map((name) => beside(change, name))

function withObjects(object: AnyObject, items: unknown[], saved: AnyObject | undefined, change: ListChange): AnyObject {
  const carried = change.copied.flatMap((name) => {
    const path = beside(change, name)
    const value = valueAt(object, path) ?? (saved && valueAt(saved, path))
    return value === undefined ? [] : [[name, value] as const]
  })
  const objects = items.map((item) => (isFields(item) ? item : { [change.key]: item, ...Object.fromEntries(carried) }))
  return withValue(object, change.field, objects)
}

/** What holds for all: a flag that each has, the values that every list has, else the one value there is. */
function sharedBy(values: unknown[]): unknown {
  const [first] = values
  if (values.every((value) => typeof value === 'boolean' || value === undefined))
    return values.every((value) => value === undefined) ? undefined : values.every((value) => value === true)
  const lists = values.map((value) => (Array.isArray(value) ? (value as unknown[]) : []))
  if (values.some(Array.isArray)) return (lists[0] ?? []).filter((entry) => lists.every((list) => list.includes(entry)))
  return values.every((value) => value === first) ? first : undefined
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : text
  } catch {
    return text
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function valueAt(object: AnyObject, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (isFields(value) ? value[name] : undefined), object)
}

/** A copy with a value at the path. */
function withValue(object: AnyObject, path: string, value: unknown): AnyObject {
  const [name = '', ...rest] = path.split('.')
  return { ...object, [name]: placed(object[name], rest, value) }
}

function placed(within: unknown, path: string[], value: unknown): unknown {
  const [name, ...rest] = path
  if (name === undefined) return value
  const fields = isFields(within) ? within : {}
  return { ...fields, [name]: placed(fields[name], rest, value) }
}

function withoutFields(object: AnyObject, paths: string[]): AnyObject {
  return paths.reduce((reduced, path) => {
    const names = path.split('.')
    const parent = valueAt(reduced, names.slice(0, -1).join('.'))
    const last = names.at(-1) ?? ''
    if (!isFields(parent) || !(last in parent)) return reduced
    const { [last]: _, ...others } = parent
    return withValue(reduced, names.slice(0, -1).join('.'), others)
  }, object)
}

function withAnnotations(object: AnyObject, added: Record<string, string>): AnyObject {
  return { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...added } } }
}

function withoutAnnotations(object: AnyObject, { toAnnotations }: ProviderConfigChanges): AnyObject {
  const { annotations, ...metadata } = object.metadata
  const gone = new Set(toAnnotations.map(({ annotation }) => annotation))
  const kept = Object.fromEntries(Object.entries(annotations ?? {}).filter(([name]) => !gone.has(name)))
  return { ...object, metadata: { ...metadata, ...(Object.keys(kept).length > 0 && { annotations: kept }) } }
}
