/** The configuration of a comparison: levels, and what is accepted until when. crdify's own configuration is read as well. */
import type { ComparisonConfig, CrdifyConfig, Enforcement, Ignore, LevelOverride } from './comparison.types.ts'
import { crdifyValidations } from './profiles/crdify.ts'
import { isSchema, listOf } from './schema-reading.ts'

export interface ConfigReading {
  config: ComparisonConfig
  /** what is wrong, each with its place; nothing of a configuration with problems should be used */
  problems: string[]
}

type Entry = Readonly<Record<string, unknown>>
type Report = (problem: string) => void

const levels = ['error', 'warning', 'info', 'none'] as const
const enforcements: readonly Enforcement[] = ['Error', 'Warn', 'None']
const words = ['overrides', 'ignore', 'validations', 'unhandledEnforcement', 'conversion']

/** Reads a parsed document. An empty one is a configuration that says nothing. */
export function readConfig(document: unknown): ConfigReading {
  const problems: string[] = []
  const report: Report = (problem) => problems.push(problem)
  if (document === undefined || document === null) return { config: { overrides: [], ignore: [] }, problems }
  if (!isSchema(document)) {
    return { config: { overrides: [], ignore: [] }, problems: ['the configuration is not a map'] }
  }
  for (const word of Object.keys(document)) {
    if (!words.includes(word)) report(`${word} is not known; known are ${words.join(', ')}`)
  }
  const crdify = crdifyOf(document, report)
  const config: ComparisonConfig = {
    overrides: entriesOf(document, 'overrides', report).flatMap(([entry, at]) => overrideOf(entry, at, report)),
    ignore: entriesOf(document, 'ignore', report).flatMap(([entry, at]) => ignoreOf(entry, at, report)),
    ...(crdify !== undefined && { crdify }),
  }
  return { config, problems }
}

function entriesOf(document: Entry, word: string, report: Report): [entry: Entry, at: string][] {
  const list = document[word]
  if (list !== undefined && list !== null && !Array.isArray(list)) report(`${word} is not a list`)
  return listOf(list).flatMap((entry, index): [Entry, string][] => {
    if (isSchema(entry)) return [[entry, `${word}[${index}]`]]
    report(`${word}[${index}] is not a map`)
    return []
  })
}

/** The part that both kinds of entries have. */
function placeOf(entry: Entry, at: string, report: Report) {
  const text = (word: string) => {
    const value = entry[word]
    if (value === undefined) return undefined
    if (typeof value === 'string' && value !== '') return value
    report(`${at}.${word} is not a text`)
    return undefined
  }
  const [id, version, path] = [text('id'), text('version'), text('path')]
  if (entry['id'] === undefined) report(`${at} has no id`)
  return {
    text,
    place: { id: id ?? '', ...(version !== undefined && { version }), ...(path !== undefined && { path }) },
  }
}

/** A misspelt word would be one that is not there: `untill` would accept for ever, `verison` everywhere. */
function guardWords(entry: Entry, at: string, known: readonly string[], report: Report): void {
  for (const word of Object.keys(entry)) {
    if (!known.includes(word)) report(`${at}.${word} is not known; known are ${known.join(', ')}`)
  }
}

function overrideOf(entry: Entry, at: string, report: Report): LevelOverride[] {
  guardWords(entry, at, ['id', 'version', 'path', 'level'], report)
  const { place } = placeOf(entry, at, report)
  const level = levels.find((known) => known === entry['level'])
  if (level !== undefined) return [{ ...place, level }]
  report(`${at}.level is not one of ${levels.join(', ')}`)
  return []
}

function ignoreOf(entry: Entry, at: string, report: Report): Ignore[] {
  guardWords(entry, at, ['id', 'version', 'path', 'until', 'reason'], report)
  const { text, place } = placeOf(entry, at, report)
  const reason = text('reason')
  if (entry['reason'] === undefined) report(`${at} has no reason`)
  const until = dayOf(entry['until'])
  if (entry['until'] !== undefined && until === undefined) report(`${at}.until is not a day like 2026-12-31`)
  return reason === undefined ? [] : [{ ...place, reason, ...(until !== undefined && { until }) }]
}

/** YAML readers may have made a date of a day already. */
function dayOf(value: unknown): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString().slice(0, 10)
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return undefined
  const date = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value) ? value : undefined
}

function crdifyOf(document: Entry, report: Report): CrdifyConfig | undefined {
  const { validations, unhandledEnforcement, conversion } = document
  if (validations === undefined && unhandledEnforcement === undefined && conversion === undefined) return undefined
  const unhandled = enforcements.find((known) => known === unhandledEnforcement)
  if (unhandledEnforcement && unhandled === undefined)
    report(`unhandledEnforcement is not one of ${enforcements.join(', ')}`)
  const policy = (['None', 'Ignore'] as const).find((known) => known === conversion)
  if (conversion && policy === undefined) report('conversion is neither None nor Ignore')
  const configured = entriesOf(document, 'validations', report).flatMap(([entry, at]) =>
    validationOf(entry, at, report),
  )
  return {
    validations: Object.fromEntries(configured),
    ...(unhandled !== undefined && { unhandledEnforcement: unhandled }),
    ...(policy !== undefined && { conversion: policy }),
  }
}

function validationOf(entry: Entry, at: string, report: Report): [string, CrdifyConfig['validations'][string]][] {
  const { name, configuration } = entry
  const enforcement = enforcements.find((known) => known === entry['enforcement'])
  const known = crdifyValidations.find((validation) => validation === name)
  if (known === undefined) report(`${at}.name is no validation of crdify; known are ${crdifyValidations.join(', ')}`)
  if (enforcement === undefined) report(`${at}.enforcement is not one of ${enforcements.join(', ')}`)
  if (configuration !== undefined && configuration !== null && !isSchema(configuration)) {
    report(`${at}.configuration is not a map`)
  }
  const policy = isSchema(configuration) ? configuration['additionPolicy'] : undefined
  if (name === 'enum' && policy && policy !== 'Allow' && policy !== 'Disallow') {
    report(`${at}.configuration.additionPolicy is neither Allow nor Disallow`)
  }
  if (known === undefined || enforcement === undefined) return []
  return [[known, { enforcement, configuration: isSchema(configuration) ? configuration : {} }]]
}
