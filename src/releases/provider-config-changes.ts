/** What a release says about provider configs whose form changes within a version of their CRD. Pure. */
import { ReleaseError } from './errors.ts'
import type { ProviderConfigChanges } from './release.types.ts'

type Fields = Record<string, unknown>

const PATH = /^spec(\.[A-Za-z][A-Za-z0-9]*)+$/

/**
 * Reads `providerConfigs` of a release.yaml. Throws ReleaseError `not-a-release` naming the entry: a change that is
 * misunderstood would lose what is stored.
 */
export function readProviderConfigChanges(value: unknown, source: string): ProviderConfigChanges {
  const fields = fieldsOf(value, 'providerConfigs', source)
  onlyKeys(fields, ['itemsToObjects', 'toAnnotations'], 'providerConfigs', source)
  return {
    itemsToObjects: listOf(fields, 'itemsToObjects', source).map((row, index) => {
      const at = `providerConfigs.itemsToObjects[${index}]`
      onlyKeys(row, ['field', 'key', 'copied'], at, source)
      const { copied = [] } = row
      if (!Array.isArray(copied) || !copied.every((each): each is string => typeof each === 'string'))
        throw bad(source, `${at}.copied has to be a list of names`)
      return { field: path(row, at, source), key: text(row, 'key', at, source), copied }
    }),
    toAnnotations: listOf(fields, 'toAnnotations', source).map((row, index) => {
      const at = `providerConfigs.toAnnotations[${index}]`
      onlyKeys(row, ['field', 'annotation'], at, source)
      return { field: path(row, at, source), annotation: text(row, 'annotation', at, source) }
    }),
  }
}

function fieldsOf(value: unknown, at: string, source: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(source, `${at} has to be a mapping`)
  return { ...value }
}

function listOf(fields: Fields, key: string, source: string): Fields[] {
  const value = fields[key] ?? []
  if (!Array.isArray(value)) throw bad(source, `providerConfigs.${key} has to be a list`)
  return value.map((row, index) => fieldsOf(row, `providerConfigs.${key}[${index}]`, source))
}

function onlyKeys(fields: Fields, known: string[], at: string, source: string): void {
  const unknown = Object.keys(fields).find((key) => !known.includes(key))
  if (unknown !== undefined) throw bad(source, `${at} has an unknown field "${unknown}"`)
}

function path(row: Fields, at: string, source: string): string {
  const value = text(row, 'field', at, source)
  if (!PATH.test(value)) throw bad(source, `${at}.field has to be a path below spec, such as spec.capabilities.engines`)
  return value
}

function text(row: Fields, key: string, at: string, source: string): string {
  const value = row[key]
  if (typeof value !== 'string' || value === '') throw bad(source, `${at}.${key} has to be text`)
  return value
}

function bad(source: string, why: string): ReleaseError {
  return new ReleaseError('not-a-release', `${source} cannot be used`, {
    why,
    next: 'correct the file: it tells how stored objects get the form of the release',
  })
}
