/** What has changed between definitions, a line for each change, grouped by version. */
import type { CrdDifferenceReport, DefinitionChanges } from '../services/crd-report.types.ts'
import { valueText } from './crd-words.ts'
import { paint, type TextStyle } from './style.ts'

/** How many changes of one version are told. */
const CHANGES_SHOWN = 200

/** Gives the whole text, ending with a newline. */
export function renderCrdDifference({ definitions, changes }: CrdDifferenceReport, style: TextStyle): string {
  const blocks = definitions.flatMap((definition) => definitionBlocks(definition, style))
  const end = changes === 0 ? 'Nothing has changed.' : `${changes} change${changes === 1 ? '' : 's'}.`
  return `${[...blocks, [end]].map((lines) => lines.join('\n')).join('\n\n')}\n`
}

function definitionBlocks({ name, presence, changes }: DefinitionChanges, style: TextStyle): string[][] {
  if (presence !== 'both') return [[`${paint(style, 'bold', name)}  ${presence}`]]
  if (changes.length === 0) return []
  const versions = [...Map.groupBy(changes, ({ version }) => version)]
  return [
    [paint(style, 'bold', name)],
    ...versions.map(([version, all]) => {
      const rest = all.length - CHANGES_SHOWN
      return [
        version === '' ? 'the definition' : version,
        ...all.slice(0, CHANGES_SHOWN).map((change) => changeLine(change, style)),
        ...(rest > 0 ? [`  and ${rest} more: -o json has them all`] : []),
      ]
    }),
  ]
}

function changeLine({ id, path, before, after }: DefinitionChanges['changes'][number], style: TextStyle): string {
  const arrow = style.unicode ? '→' : '->'
  const sides = before === undefined && after === undefined ? '' : `${valueText(before)} ${arrow} ${valueText(after)}`
  const words = [path, sides, paint(style, 'dim', id)].filter((word) => word !== '')
  return `  ${words.join('  ')}`
}
