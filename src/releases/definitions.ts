/** CustomResourceDefinitions out of manifests, checked for the form that everything else relies on. Pure. */
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { Refusal } from '../report/refusal.ts'
import type { SourceFile } from './source-files.ts'
import { readYamlDocuments, UnusableYaml } from './yaml-documents.ts'

/** A definition and where it stands. */
export interface ReadDefinition {
  definition: CustomResourceDefinition
  /** file or other place, for messages */
  file: string
}

export interface DefinitionsRead {
  definitions: ReadDefinition[]
  /** how many documents are none */
  passedOver: number
}

type Map = Readonly<Record<string, unknown>>

/**
 * The definitions in one text, lists opened; every other document is counted and passed over.
 * Throws Refusal `usage` for what is no YAML or beyond its limits, a definition of another version than v1, or a broken one.
 */
export function readDefinitions({ name, text }: SourceFile): DefinitionsRead {
  const found: ReadDefinition[] = []
  let passedOver = 0
  for (const document of documentsOf(text, name)) {
    if (document === null || document === undefined) continue
    for (const entry of itemsOf(document)) {
      if (isMap(entry) && entry['kind'] === 'CustomResourceDefinition') {
        found.push({ definition: definitionOf(entry, name), file: name })
      } else passedOver += 1
    }
  }
  return { definitions: found, passedOver }
}

/** The object as a definition. Throws Refusal `usage` where it is none that an API server would take. */
export function definitionOf(entry: Readonly<Record<string, unknown>>, file: string): CustomResourceDefinition {
  const { apiVersion } = entry
  const shown = nameOf(entry) ?? 'a CustomResourceDefinition without a name'
  if (apiVersion !== 'apiextensions.k8s.io/v1') {
    throw refused(file, `${shown} is of ${String(apiVersion)}`, {
      why: 'Only apiextensions.k8s.io/v1 is compared: v1beta1 is not served since Kubernetes 1.22, and has other rules.',
      next: 'make it anew for v1, such as with: controller-gen crd',
    })
  }
  const problem = problemOf(entry)
  if (problem === undefined) return entry as unknown as CustomResourceDefinition
  throw refused(file, `${shown} is broken: ${problem}`, { why: 'The API server would refuse it.' })
}

function documentsOf(text: string, file: string): unknown[] {
  if (/^\s*(<!doctype|<html)/i.test(text.slice(0, 200))) throw refused(file, 'it is a page of HTML')
  try {
    return readYamlDocuments(text)
  } catch (error) {
    if (error instanceof UnusableYaml) throw refused(file, error.message)
    throw error
  }
}

function itemsOf(document: unknown): readonly unknown[] {
  if (!isMap(document) || !/^(CustomResourceDefinition)?List$/.test(String(document['kind']))) return [document]
  const { items } = document
  if (!Array.isArray(items)) return [document]
  // The items of a typed list, as the API server answers it, do not say again what they are.
  if (document['kind'] !== 'CustomResourceDefinitionList') return items
  const kind = { apiVersion: document['apiVersion'], kind: 'CustomResourceDefinition' }
  return items.map((item: unknown) => (isMap(item) ? { ...kind, ...item } : item))
}

function problemOf(entry: Map): string | undefined {
  const { spec, status } = entry
  if (nameOf(entry) === undefined) return 'it has no metadata.name'
  if (!isMap(spec)) return 'it has no spec'
  const { group, scope, names, versions } = spec
  if (typeof group !== 'string' || group === '') return 'spec.group is no text'
  if (scope !== 'Namespaced' && scope !== 'Cluster') return 'spec.scope is neither Namespaced nor Cluster'
  if (!isMap(names) || typeof names['kind'] !== 'string' || typeof names['plural'] !== 'string') {
    return 'spec.names lacks kind or plural'
  }
  if (!Array.isArray(versions) || versions.length === 0) return 'spec.versions is no list, or empty'
  const stored = isMap(status) ? status['storedVersions'] : undefined
  if (stored !== undefined && stored !== null && !Array.isArray(stored)) return 'status.storedVersions is no list'
  return versionsProblem(versions)
}

function versionsProblem(versions: readonly unknown[]): string | undefined {
  const names = new Set<string>()
  let stored = 0
  for (const [index, version] of versions.entries()) {
    const at = `spec.versions[${index}]`
    if (!isMap(version) || typeof version['name'] !== 'string') return `${at} has no name`
    if (typeof version['served'] !== 'boolean') return `${at}.served is neither true nor false`
    if (typeof version['storage'] !== 'boolean') return `${at}.storage is neither true nor false`
    const { schema } = version
    if (schema !== undefined && schema !== null && !isMap(schema)) return `${at}.schema is no map`
    if (names.size === names.add(version['name']).size) return `version ${version['name']} is there twice`
    stored += version['storage'] ? 1 : 0
  }
  return stored === 1 ? undefined : `${stored} versions have storage: true, and it must be one`
}

function nameOf({ metadata }: Map): string | undefined {
  const name = isMap(metadata) ? metadata['name'] : undefined
  return typeof name === 'string' && name !== '' ? name : undefined
}

function isMap(value: unknown): value is Map {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused(file: string, what: string, rest: { why?: string; next?: string } = {}): Refusal {
  return new Refusal('usage', `${file} cannot be compared: ${what}.`, rest)
}
