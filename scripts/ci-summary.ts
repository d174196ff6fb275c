/** The closing line of CI: tests passed and failed over all suites. Exits 1 where anything failed, was skipped or did not run. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type SuiteReport, summarize } from './test-summary.ts'

const reports = join(import.meta.dirname, '..', 'reports')
const suites = Object.fromEntries(
  ['test-unit', 'test-integration', 'test-e2e'].map((name) => {
    const file = join(reports, `${name}.json`)
    return [name, existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as SuiteReport) : undefined]
  }),
)
const { passed, failed, objections } = summarize(suites)
for (const objection of objections) console.error(objection)
if (failed > 0 || objections.length > 0) process.exitCode = 1
console.log(`${passed} passed, ${failed} failed`)
