/** Sums vitest's reports. Pure. */

/** What we read of vitest's JSON report. */
export interface SuiteReport {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTotalTests: number
  /** false also where a file could not be loaded or a hook failed, which counts no test as failed */
  success: boolean
}

export interface Summary {
  passed: number
  failed: number
  /** why the whole is no success, besides failed tests */
  objections: string[]
}

/** Sums the suites by name. `undefined` stands for a suite that left no report. */
export const summarize = (suites: Readonly<Record<string, SuiteReport | undefined>>): Summary => {
  const summary: Summary = { passed: 0, failed: 0, objections: [] }
  for (const [name, suite] of Object.entries(suites)) {
    if (suite === undefined) {
      summary.objections.push(`${name} did not run`)
      continue
    }
    summary.passed += suite.numPassedTests
    summary.failed += suite.numFailedTests
    if (suite.numPassedTests === 0) summary.objections.push(`${name}: no test passed`)
    if (suite.numPendingTests > 0) summary.objections.push(`${name}: ${suite.numPendingTests} skipped`)
    if (!suite.success && suite.numFailedTests === 0) summary.objections.push(`${name}: failed outside of its tests`)
  }
  return summary
}
