import { expect } from 'vitest'
import { parseWarnings } from '../../../src/kubernetes/warnings.ts'
import { lines } from '../../../src/kubernetes/watch-lines.ts'
import type { Property } from '../seeded.ts'

export const wireProperties: Property[] = [
  {
    title: 'the lines of a watch are whole, wherever its bytes are cut',
    holds: async (chance) => {
      const events = chance.several(4, () => ({ type: chance.text(), object: chance.several(9, chance.text) }))
      const bytes = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
      const cuts = chance.several(6, () => chance.below(bytes.length + 1)).toSorted((a, b) => a - b)
      async function* chunks(): AsyncGenerator<Uint8Array> {
        for (const [index, end] of [...cuts, bytes.length].entries()) yield bytes.subarray(cuts[index - 1] ?? 0, end)
      }
      const found = await Array.fromAsync(lines(chunks()), (line) => JSON.parse(line) as unknown)
      expect(found).toEqual(events)
    },
  },
  {
    title: 'warnings come out as they went in, in one header or in several',
    holds: (chance) => {
      // A header holds no line breaks.
      const warnings = chance.several(4, () => chance.text().replaceAll('\n', ' '))
      const values = warnings.map((text) => `299 - "${text.replaceAll(/["\\]/g, '\\$&')}"`)
      expect(parseWarnings(chance.flip() ? values : values.join(', '))).toEqual(warnings)
    },
  },
]
