/** Compatibility matrices: reading them, picking the row for a version, and testing versions against ranges. Pure. */
import { gtr, ltr, parse as parseVersion, Range, satisfies, validRange } from 'semver'
import { parse } from 'yaml'
import { ReleaseError } from './errors.ts'
import type { Compatibility, CompatibilityRow, ProviderMinimum } from './release.types.ts'

/** `outside` is in a gap of the range; `unknown` where version or range cannot be compared. */
export type RangeFit = 'within' | 'below' | 'above' | 'outside' | 'unknown'

export interface PickedCompatibility {
  /** the first row for the version, with where it stands; undefined where no source has one */
  row: { row: CompatibilityRow; source: string } | undefined
  /** one minimum for each provider, from the first source that names it */
  providers: { minimum: ProviderMinimum; source: string }[]
}

type Fields = Record<string, unknown>

/**
 * Picks what holds for a controller version. Sources come in their order of precedence: `--compatibility`, then the release's
 * own file or what is known of it, then the policy document.
 */
export function pickCompatibility(controllerVersion: string, sources: Compatibility[]): PickedCompatibility {
  const rows = sources.flatMap((one) => one.rows.map((row) => ({ row, source: one.source })))
  const row = rows.find((entry) => satisfies(controllerVersion, entry.row.controller, { includePrerelease: true }))
  const providers = new Map<string, { minimum: ProviderMinimum; source: string }>()
  for (const { source, providers: minimums } of sources) {
    for (const minimum of minimums) {
      if (!providers.has(minimum.provider)) providers.set(minimum.provider, { minimum, source })
    }
  }
  return { row, providers: [...providers.values()] }
}

/**
 * Where a version lies to a range. Ranges are semantic version ranges, also `1.26-1.30` as matrices write it (both minors whole).
 * Builds of a release (`0.9.0-fix`, nightly dates) count as the release, since vendors add suffixes to it; alpha, beta and rc
 * versions come before it.
 */
export function fitRange(version: string, range: string): RangeFit {
  const comparable = comparableVersion(version)
  const normal = normalRange(range)
  if (comparable === undefined || normal === undefined) return 'unknown'
  const options = { includePrerelease: true }
  if (satisfies(comparable, normal, options)) return 'within'
  if (ltr(comparable, normal, options)) return 'below'
  return gtr(comparable, normal, options) ? 'above' : 'outside'
}

/** Is the version at least the minimum? `unknown` where one of both is no version. */
export function fitMinimum(version: string, minimum: string): RangeFit {
  return fitRange(version, `>=${minimum.replace(/^v/, '')}`)
}

/** Where a Kubernetes minor such as 1.31 lies to a range over minors. */
export function fitMinor(major: number, minor: number, range: string): RangeFit {
  return fitRange(`${major}.${minor}.0`, range)
}

/**
 * Reads a matrix: `rows` and `providers`, at the top or below `compatibility` as in a release.yaml.
 * `source` names it in messages. Throws ReleaseError `bad-compatibility` that says which entry is wrong.
 */
export function parseCompatibility(yaml: string, source: string): Compatibility {
  let content: unknown
  try {
    content = parse(yaml)
  } catch (error) {
    throw bad(source, error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'it is not YAML', error)
  }
  if (!isFields(content)) throw bad(source, 'it has to be a YAML mapping with `rows` and `providers`')
  return readCompatibility(content['compatibility'] ?? content, source)
}

/** Like `parseCompatibility`, for YAML that is parsed already. */
export function readCompatibility(content: unknown, source: string): Compatibility {
  if (!isFields(content)) throw bad(source, '`compatibility` has to be a mapping with `rows` and `providers`')
  if (content['rows'] === undefined && content['providers'] === undefined) {
    throw bad(source, 'it has neither `rows` nor `providers`')
  }
  return {
    source,
    rows: list(content, 'rows', source).map((row, index) => readRow(row, `rows[${index}]`, source)),
    providers: list(content, 'providers', source).map((row, index) => readProvider(row, `providers[${index}]`, source)),
  }
}

function readRow(row: Fields, at: string, source: string): CompatibilityRow {
  onlyKeys(row, ['controller', 'kubernetes', 'operators'], at, source)
  const operators = row['operators']
  if (operators !== undefined && !isFields(operators)) throw bad(source, `${at}.operators has to be a mapping`)
  return {
    controller: rangeText(row, 'controller', at, source),
    ...(row['kubernetes'] === undefined ? {} : { kubernetes: rangeText(row, 'kubernetes', at, source) }),
    ...(operators === undefined ? {} : { operators: operatorRanges(operators, `${at}.operators`, source) }),
  }
}

function operatorRanges(operators: Fields, at: string, source: string): Record<string, string> {
  return Object.fromEntries(Object.keys(operators).map((name) => [name, rangeText(operators, name, at, source)]))
}

function readProvider(row: Fields, at: string, source: string): ProviderMinimum {
  onlyKeys(row, ['provider', 'minimum', 'crdApiVersion', 'gpuOperator', 'notes'], at, source)
  const minimum = text(row, 'minimum', at, source)
  if (parseVersion(minimum) === null) throw bad(source, `${at}.minimum "${minimum}" is not a version such as v0.3.0`)
  const gpuOperator = row['gpuOperator']
  if (gpuOperator !== undefined && typeof gpuOperator !== 'boolean') {
    throw bad(source, `${at}.gpuOperator has to be true or false`)
  }
  return {
    provider: text(row, 'provider', at, source),
    minimum,
    crdApiVersion: text(row, 'crdApiVersion', at, source),
    ...(gpuOperator === undefined ? {} : { gpuOperator }),
    ...(row['notes'] === undefined ? {} : { notes: text(row, 'notes', at, source) }),
  }
}

/** A misspelt key would silently switch a check off, so keys that are not known are refused. */
function onlyKeys(fields: Fields, keys: string[], at: string, source: string): void {
  const unknown = Object.keys(fields).find((key) => !keys.includes(key))
  if (unknown !== undefined) throw bad(source, `${at} has no field "${unknown}"; its fields are ${keys.join(', ')}`)
}

function rangeText(fields: Fields, key: string, at: string, source: string): string {
  const range = text(fields, key, at, source)
  if (normalRange(range) === undefined) {
    throw bad(source, `${at}.${key} "${range}" is not a range such as "0.1.x", ">=1.30" or "1.26 - 1.30"`)
  }
  const empty = range.split('||').find((part) => isEmpty(part))
  if (empty !== undefined) {
    throw bad(source, `${at}.${key} "${empty.trim()}" is a range that holds no version: are its ends swapped?`)
  }
  return range
}

/** `1.36 - 1.30`: no version is in it, so everything would be outside. */
function isEmpty(part: string): boolean {
  const range = new Range(normalRange(part) ?? '')
  return !range.intersects(range)
}

function text(fields: Fields, key: string, at: string, source: string): string {
  const value = fields[key]
  if (typeof value === 'string' && value !== '') return value
  if (typeof value === 'number') {
    throw bad(source, `${at}.${key} has to be quoted: YAML reads ${value} as a number, and 1.30 as 1.3`)
  }
  throw bad(source, value === undefined ? `${at}.${key} is missing` : `${at}.${key} has to be text`)
}

function list(content: Fields, key: string, source: string): Fields[] {
  const value = content[key] ?? []
  if (!Array.isArray(value) || !value.every(isFields)) throw bad(source, `\`${key}\` has to be a list of mappings`)
  return value
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function comparableVersion(version: string): string | undefined {
  const parsed = parseVersion(version)
  if (parsed === null) return undefined
  const before = /^(alpha|beta|rc|dev|pre)/.test(String(parsed.prerelease[0] ?? ''))
  return before ? parsed.version : `${parsed.major}.${parsed.minor}.${parsed.patch}`
}

function normalRange(range: string): string | undefined {
  // `1.26-1.30` would be read as 1.26 with the prerelease 1.30; a hyphen range wants blanks.
  const spaced = range.replace(/^\s*v?(\d+(?:\.\d+){0,2})\s*[-–]\s*v?(\d+(?:\.\d+){0,2})\s*$/, '$1 - $2')
  return validRange(spaced) === null ? undefined : new Range(spaced).range
}

function bad(source: string, why: string, cause?: unknown): ReleaseError {
  return new ReleaseError('bad-compatibility', `the compatibility data of ${source} cannot be used`, {
    why,
    next: 'correct the entry; docs and examples show the form: rows with controller, kubernetes, operators, and providers',
    cause,
  })
}
