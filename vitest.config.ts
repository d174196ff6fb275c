import { existsSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

/** npm's script names the report, so that the three suites of one `npm test` keep one each. */
const suite = (process.env['npm_lifecycle_event'] ?? 'vitest').replaceAll(':', '-')

/** Tests whose seconds mean something have the machine to themselves. */
const measured = ['test/integration/hand-over.test.ts', 'test/integration/killed-runs.test.ts']

/** They try what other projects have published, where that lies beside the repository: no machine has to have it. */
const ofOthers = existsSync(new URL('../shared/upstream/', import.meta.url))
  ? []
  : ['test/integration/upstream.test.ts', 'test/integration/migration-upstream.test.ts']

export default defineConfig({
  test: {
    reporters: process.env['CI'] ? ['default', ['json', { outputFile: `reports/${suite}.json` }]] : ['default'],
    // Tests look at what is written on the streams themselves.
    disableConsoleIntercept: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // Properties take a second alone; a machine that does other work beside takes many times that.
          testTimeout: 30_000,
          include: ['test/unit/**/*.test.ts'],
          // No module has state, so files may share a worker: to start one for each takes longer than most files.
          isolate: false,
          // Many unit tests wait for processes: no core is left to the main process alone, as it would be otherwise.
          maxWorkers: '100%',
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [...measured, ...ofOthers],
          globalSetup: ['test/support/global-setup.ts'],
          // Stories wait for controllers most of their time.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 240_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'measured',
          include: measured,
          globalSetup: ['test/support/global-setup.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          maxWorkers: 2,
          testTimeout: 240_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'torture',
          include: ['test/torture/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: ['test/long/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          // A control plane that moves thousands of objects needs the cores that properties would take.
          fileParallelism: false,
          testTimeout: 1_200_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
