/**
 * Sets of fields as managedFields hold them (FieldsV1), as values. A field is a path of `f:NAME` (a field), `k:KEYS` (an
 * item of a list, by its key fields), `v:VALUE` (a member of a set) and `i:INDEX`; `.` marks the thing at a path itself,
 * and a path that leads to nothing more is marked by being empty.
 */

export type FieldsV1 = Record<string, unknown>

interface Node {
  member: boolean
  children: Map<string, Node>
}

/** The fields of either set. */
export function union(...sets: FieldsV1[]): FieldsV1 {
  const root: Node = { member: false, children: new Map() }
  for (const set of sets) addAll(root, toNode(set, true))
  return toFields(root)
}

/** The fields of the first set that the second has not. A parent in the second does not take its children along. */
export function difference(set: FieldsV1, without: FieldsV1): FieldsV1 {
  return toFields(subtract(toNode(set, true), toNode(without, true)))
}

export function isEmpty(set: FieldsV1): boolean {
  return Object.keys(set).length === 0
}

/**
 * Of a value exactly what the set holds, with the key fields of list items; undefined where that is nothing. As
 * client-go's extract does, only the set's leaves count: a map that a manager owns is kept for the fields in it, and
 * whole where the set names none in it.
 */
export function project(value: unknown, set: FieldsV1): unknown {
  return projectNode(value, toNode(set, true))
}

/** The leaves of the set as people write paths: `.spec.template.spec.containers[name="x"].image`. */
export function paths(set: FieldsV1): string[] {
  const found: string[] = []
  const visit = (node: Node, path: string): void => {
    if (node.children.size === 0 && path !== '') found.push(path)
    for (const [element, child] of node.children) visit(child, path + describe(element))
  }
  visit(toNode(set, true), '')
  return found
}

// The root of a set stands for the object and is never a member by being empty.
function toNode(fields: FieldsV1, root = false): Node {
  const entries = Object.entries(fields).filter(([element]) => element !== '.')
  const member = !root && ('.' in fields || entries.length === 0)
  return { member, children: new Map(entries.map(([element, value]) => [element, toNode(asFields(value))])) }
}

function asFields(value: unknown): FieldsV1 {
  return typeof value === 'object' && value !== null ? (value as FieldsV1) : {}
}

function toFields(node: Node): FieldsV1 {
  const fields: FieldsV1 = {}
  if (node.member && node.children.size > 0) fields['.'] = {}
  for (const [element, child] of node.children) fields[element] = toFields(child)
  return fields
}

function addAll(target: Node, source: Node): void {
  target.member ||= source.member
  for (const [element, child] of source.children) {
    const known = target.children.get(element)
    if (known) addAll(known, child)
    else target.children.set(element, child)
  }
}

function subtract(node: Node, without: Node): Node {
  const children = new Map<string, Node>()
  for (const [element, child] of node.children) {
    const other = without.children.get(element)
    const rest = other ? subtract(child, other) : child
    if (rest.member || rest.children.size > 0) children.set(element, rest)
  }
  return { member: node.member && !without.member, children }
}

function projectNode(value: unknown, node: Node): unknown {
  if (node.children.size === 0) return node.member ? value : undefined
  if (Array.isArray(value)) return projectList(value, node)
  if (typeof value !== 'object' || value === null) return undefined
  const kept: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(value)) {
    const child = node.children.get(`f:${name}`)
    const part = child && projectNode(field, child)
    if (part !== undefined) kept[name] = part
  }
  return Object.keys(kept).length > 0 ? kept : undefined
}

function projectList(list: unknown[], node: Node): unknown[] | undefined {
  const kept = list.flatMap((item, index) => {
    for (const [element, child] of node.children) {
      const part = projectItem(item, index, element, child)
      if (part !== undefined) return [part]
    }
    return []
  })
  return kept.length > 0 ? kept : undefined
}

function projectItem(item: unknown, index: number, element: string, child: Node): unknown {
  const [type, content] = [element.slice(0, 2), element.slice(2)]
  if (type === 'i:') return Number(content) === index ? projectNode(item, child) : undefined
  if (type === 'v:') return isEqual(item, JSON.parse(content)) ? item : undefined
  if (type !== 'k:' || typeof item !== 'object' || item === null) return undefined
  const keys = JSON.parse(content) as Record<string, unknown>
  const fields = item as Record<string, unknown>
  if (!Object.entries(keys).every(([name, wanted]) => isEqual(fields[name], wanted))) return undefined
  const rest = projectNode(item, child)
  return { ...keys, ...(typeof rest === 'object' ? rest : {}) }
}

// Keys and set members are scalars nearly always; elsewhere the order of an object's fields must not count.
function isEqual(left: unknown, right: unknown): boolean {
  return left === right || canonical(left) === canonical(right)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

function describe(element: string): string {
  const [type, content] = [element.slice(0, 2), element.slice(2)]
  if (type === 'f:') return /^[\w-]+$/.test(content) ? `.${content}` : `["${content}"]`
  if (type === 'v:') return `[=${content}]`
  if (type !== 'k:') return `[${content}]`
  const keys = Object.entries(JSON.parse(content) as Record<string, unknown>)
  return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`
}
