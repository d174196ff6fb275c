/** The words of findings about definitions that all forms of a report share. */
import type { Audience } from '../crds/comparison/comparison.types.ts'
import type { CrdComparisonReport, CrdFinding, DefinitionFindings, Direction } from '../services/crd-report.types.ts'

/** A finding with the definition that it is of. */
export interface PlacedFinding {
  definition: DefinitionFindings
  direction: Direction
  finding: CrdFinding
}

/** All findings of a report, those of the upgrade of each definition first. */
export function placedFindings({ definitions }: CrdComparisonReport): PlacedFinding[] {
  return definitions.flatMap((definition) =>
    (['upgrade', 'rollback'] as const).flatMap((direction) =>
      (definition[direction] ?? []).map((finding) => ({ definition, direction, finding })),
    ),
  )
}

/** What the API server said where it refuses the definition; a refusal decides the way forwards only. */
export function refusalOf({ live }: DefinitionFindings, direction: Direction): string | undefined {
  return direction === 'upgrade' && live?.dryRun.outcome === 'refused' ? live.dryRun.message : undefined
}

/** The title of that refusal, and its id among findings. */
export const refused = { id: 'live.definition.refused', title: 'the API server refuses the new definition' }

const people: Record<Audience, string> = { writer: 'writers', reader: 'readers', stored: 'stored objects' }

/** Who is hurt: `writers and stored objects`. */
export function hurtBy(audiences: readonly Audience[]): string {
  const names = audiences.map((audience) => people[audience])
  const last = names.at(-1)
  if (last === undefined) return 'nobody'
  return names.length === 1 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
}

/** A side of a change in one line, no longer than this. */
export function valueText(value: unknown, longest = 160): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > longest ? `${text.slice(0, longest - 3)}...` : text
}

/** `v1alpha1 ^.spec.x`, `the definition`. */
export function placeText({ version, path }: Pick<CrdFinding, 'version' | 'path'>): string {
  const words = [version, path].filter((word) => word !== '').join(' ')
  return words === '' ? 'the definition' : words
}

/** `0 of 4,213 stored objects affected`. */
export function evidenceText({ checked, affected, ratchets }: NonNullable<CrdFinding['live']>): string {
  const count = (value: number) => String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',')
  const kept = ratchets && affected > 0 ? '; unchanged values go on being accepted' : ''
  return `${count(affected)} of ${count(checked)} stored objects affected${kept}`
}
