/**
 * A program for Node: one service that changes a cluster, in a process of its own, as a test wants it. The cluster comes from
 * KUBECONFIG, the releases from AIRUNWAY_RELEASES unless they are named, what to do as JSON in the first argument:
 *
 *   node test/support/change-program.ts '{"service":"upgrade","options":{"to":"v0.2.0"},"lockSeconds":2,"requestLimitMs":200}'
 *
 * Prints one JSON line on stdout, `{"result": ...}` or `{"error": ...}`, progress on stderr; the exit code is the command's.
 */
import { describeError } from '../../src/cli/error-report.ts'
import { ExitCode } from '../../src/cli/exit-codes.ts'
import type { Progress } from '../../src/report/progress.ts'
import { abort } from '../../src/services/abort.ts'
import { type MigrateOptions, migrateDefinitions } from '../../src/services/migrate-definitions.ts'
import { resume } from '../../src/services/resume.ts'
import { rollback } from '../../src/services/rollback.ts'
import type { ChangeRequest } from '../../src/services/run-plan.ts'
import type { ChangeResult } from '../../src/services/run-report.types.ts'
import { type UpgradeOptions, upgrade } from '../../src/services/upgrade.ts'

export interface ChangeInput {
  service: 'upgrade' | 'migrate' | 'resume' | 'abort' | 'rollback'
  /** of the upgrade; of the others only `dryRun`, and for a resume `holdStorage` */
  options?: Partial<UpgradeOptions>
  /** of the migration */
  migrate?: MigrateOptions
  releases?: string
  /** how long the lock lasts without being renewed; it is renewed three times as often */
  lockSeconds?: number
  /** how long a request of a dead holder is waited for */
  requestLimitMs?: number
  takeOver?: boolean
}

const onStderr: Progress = {
  task: (title) => {
    const line = (text: string): void => void process.stderr.write(`${title}: ${text}\n`)
    line('begins')
    return { update: line, done: (text = 'done') => line(text), fail: line }
  },
}

const run = async ({ service, options = {}, ...input }: ChangeInput): Promise<ChangeResult> => {
  const interruption = new AbortController()
  process.once('SIGINT', () => interruption.abort())
  const { lockSeconds, requestLimitMs, takeOver } = input
  const request: ChangeRequest = {
    connection: {},
    recordNamespace: 'airunway-runs',
    now: () => new Date(),
    today: new Date('2026-11-22'),
    progress: onStderr,
    signal: interruption.signal,
    confirm: async () => true,
    ...(lockSeconds !== undefined && { lockSeconds }),
    ...(requestLimitMs !== undefined && { requestLimitMs }),
    ...(takeOver !== undefined && { takeOver }),
  }
  const dryRun = options.dryRun ?? false
  if (service === 'upgrade')
    return upgrade(request, {
      releases: input.releases ?? process.env['AIRUNWAY_RELEASES'],
      conflicts: 'keep',
      to: '',
      ...options,
      dryRun,
    })
  if (service === 'migrate') {
    if (input.migrate === undefined) throw new Error('it is not said what to migrate')
    return migrateDefinitions(request, input.migrate)
  }
  if (service === 'resume') return resume(request, { dryRun, holdStorage: options.holdStorage === true })
  return { abort, rollback }[service](request, { dryRun })
}

const exitOf = (result: ChangeResult): ExitCode => {
  if (result.outcome === 'declined') return ExitCode.failed
  return result.outcome === 'ran' && result.report.workloads.disturbed > 0 ? ExitCode.warnings : ExitCode.ok
}

try {
  const result = await run(JSON.parse(process.argv[2] ?? '{}') as ChangeInput)
  process.stdout.write(`${JSON.stringify({ result })}\n`)
  process.exitCode = exitOf(result)
} catch (error) {
  const report = describeError(error)
  process.stdout.write(`${JSON.stringify({ error: report })}\n`)
  process.exitCode = ExitCode[report.exit]
}
