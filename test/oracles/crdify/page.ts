/** The rows of docs/crdify.md, and what they have to say. */
import { readFileSync } from 'node:fs'
import type { Finding } from '../../../src/crds/comparison/comparison.types.ts'

const page = new URL('../../../docs/crdify.md', import.meta.url)

export interface DifferenceRow {
  heading: string
  name: string
  crdify: string
  there: string
  back: string
}

/** The rows whose first cell names a case, in their order. */
export function differenceRows(): DifferenceRow[] {
  let heading = ''
  return readFileSync(page, 'utf8')
    .split('\n')
    .flatMap((line): DifferenceRow[] => {
      if (line.startsWith('## ')) heading = line.slice(3)
      const [, name, crdify, there, back] = /^\| `([a-z0-9-]+)` \| (.*?) \| (.*?) \| (.*?) \| .+ \|$/.exec(line) ?? []
      if (name === undefined || crdify === undefined || there === undefined || back === undefined) return []
      return [{ heading, name, crdify, there, back }]
    })
}

/** The validations that fail. */
export function crdifyCell(errors: readonly string[]): string {
  const names = new Set(errors.map((error) => error.split(' ').at(-1) ?? ''))
  return names.size === 0 ? 'passes' : [...names].toSorted().join(', ')
}

/** The gravest findings. */
export function findingsCell(findings: readonly Finding[]): string {
  for (const level of ['error', 'warning', 'info']) {
    const ids = new Set(findings.filter((finding) => finding.level === level).map(({ id }) => id))
    if (ids.size > 0) return `${level} ${[...ids].toSorted().join(', ')}`
  }
  return 'nothing'
}
