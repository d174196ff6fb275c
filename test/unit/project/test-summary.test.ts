import { describe, expect, test } from 'vitest'
import { type SuiteReport, summarize } from '../../../scripts/test-summary.ts'

const suite = (passed: number, failed = 0, skipped = 0, success = failed === 0): SuiteReport => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: skipped,
  numTotalTests: passed + failed + skipped,
  success,
})

describe('the closing line of CI', () => {
  test.each<[string, Record<string, SuiteReport | undefined>, object]>([
    ['all well', { unit: suite(3), e2e: suite(2) }, { passed: 5, failed: 0, objections: [] }],
    ['failures', { unit: suite(3, 1), e2e: suite(2, 2) }, { passed: 5, failed: 3, objections: [] }],
    [
      'a suite that did not run',
      { unit: suite(3), e2e: undefined },
      { passed: 3, failed: 0, objections: ['e2e did not run'] },
    ],
    ['skipped tests', { unit: suite(3, 0, 2) }, { passed: 3, failed: 0, objections: ['unit: 2 skipped'] }],
    [
      'a hook that failed',
      { unit: suite(3, 0, 0, false) },
      { passed: 3, failed: 0, objections: ['unit: failed outside of its tests'] },
    ],
    ['nothing at all', { unit: suite(0) }, { passed: 0, failed: 0, objections: ['unit: no test passed'] }],
  ])('%s', (_, suites, expected) => {
    expect(summarize(suites)).toEqual(expected)
  })
})
