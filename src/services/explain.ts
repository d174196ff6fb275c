/** The verb `explain`: the page of a check, from the files of this installation. Works without any connection. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { unknownId } from '../preflight/acceptances.ts'
import { checkIds, checks } from '../preflight/checks.ts'
import { documentOf, type ReportDocument } from '../report/documents.ts'

/**
 * Gives the page of an ID as Markdown, or the list of all IDs where none is named.
 * Throws a `usage` Refusal that names the nearest IDs where there is no such check.
 */
export async function explain(id?: string): Promise<ReportDocument<'Explanation'>> {
  const ids = checkIds()
  if (id === undefined) return documentOf('Explanation', { metadata: {}, checks: ids.map(titled) })
  if (!ids.includes(id)) throw unknownId(id, ids)
  const page = await readFile(pageOf(id), 'utf8')
  return documentOf('Explanation', { metadata: {}, checks: [titled(id)], page })
}

/** An ID of two checks has the title of the first. */
function titled(id: string): { id: string; check: string } {
  return { id, check: checks.find(({ ids }) => ids.includes(id))?.title ?? '' }
}

/** A bundle has the folder beside its chunks; in a source tree it is two levels up from this file. */
function pageOf(id: string): URL {
  const candidates = ['./', '../', '../../'].map((up) => new URL(`${up}docs/checks/${id}.md`, import.meta.url))
  const found = candidates.find((url) => existsSync(url))
  if (!found) throw new Error(`the page of ${id} is missing: this installation is not complete`)
  return found
}
