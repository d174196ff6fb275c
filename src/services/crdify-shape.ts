/** Findings in the shape that crdify prints, for those who read its JSON today. Pure. */
import type { CrdFinding, CrdifyShape, CrdifyValidation } from './crd-report.types.ts'

/** The three maps, with sorted keys; what is empty is left out, as crdify does. */
export function crdifyShape(findings: readonly CrdFinding[]): CrdifyShape {
  const told = findings.filter(({ level }) => level !== 'info')
  const definition = [
    ...Map.groupBy(
      told.filter(({ scope }) => scope === 'definition'),
      nameOf,
    ),
  ]
    .toSorted(byKey)
    .map(([name, all]) => resultOf(name, all))
  const same = validationOf(told.filter(({ scope }) => scope === 'same-version'))
  const pairs = validationOf(told.filter(({ scope }) => scope === 'served-pair' || scope === 'storage-pair'))
  return {
    ...(definition.length > 0 && { crdValidation: definition }),
    ...(Object.keys(same).length > 0 && { sameVersionValidation: same }),
    ...(Object.keys(pairs).length > 0 && { servedVersionValidation: pairs }),
  }
}

function validationOf(findings: readonly CrdFinding[]): CrdifyValidation {
  return sortedMap(
    findings,
    ({ version }) => version,
    (ofVersion) =>
      sortedMap(
        ofVersion,
        ({ path }) => path,
        (ofPath) => [...Map.groupBy(ofPath, nameOf)].toSorted(byKey).map(([name, all]) => resultOf(name, all)),
      ),
  )
}

function sortedMap<Value>(
  findings: readonly CrdFinding[],
  keyOf: (finding: CrdFinding) => string,
  valueOf: (group: readonly CrdFinding[]) => Value,
): Record<string, Value> {
  const groups = [...Map.groupBy(findings, keyOf)].toSorted(byKey)
  return Object.fromEntries(groups.map(([key, group]) => [key, valueOf(group)]))
}

const byKey = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one === other ? 0 : one < other ? -1 : 1

/** In the profiles that compare as crdify does, its own name of the validation. */
const nameOf = ({ id }: CrdFinding): string => id.replace(/^crdify\./, '')

function resultOf(name: string, findings: readonly CrdFinding[]) {
  const texts = (level: CrdFinding['level']) => findings.filter((finding) => finding.level === level).map(textOf)
  const [errors, warnings] = [texts('error'), texts('warning')]
  return { name, ...(errors.length > 0 && { errors }), ...(warnings.length > 0 && { warnings }) }
}

function textOf({ title, scope, path, version, before, after }: CrdFinding): string {
  const place = scope === 'definition' ? [version, path].filter((word) => word !== '').join(' ') : ''
  const sides = [before, after].map((side) => (side === undefined ? 'nothing' : JSON.stringify(side)))
  const values = before === undefined && after === undefined ? '' : `: ${sides.join(' -> ')}`
  return `${title}${place === '' ? '' : ` (${place})`}${values}`
}
