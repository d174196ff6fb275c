/** All commands. A new command is a file and a line here; a test holds this table to the files. */
import type { CommandTable } from '../src/cli/command-table.ts'

export const commands: CommandTable = {
  abort: () => import('./abort.ts'),
  'crd:check': () => import('./crd/check.ts'),
  'crd:diff': () => import('./crd/diff.ts'),
  'crd:next': () => import('./crd/next.ts'),
  explain: () => import('./explain.ts'),
  history: () => import('./history.ts'),
  'history:export': () => import('./history/export.ts'),
  migrate: () => import('./migrate.ts'),
  'playground:down': () => import('./playground/down.ts'),
  'playground:env': () => import('./playground/env.ts'),
  'playground:status': () => import('./playground/status.ts'),
  'playground:up': () => import('./playground/up.ts'),
  preflight: () => import('./preflight.ts'),
  resume: () => import('./resume.ts'),
  rollback: () => import('./rollback.ts'),
  status: () => import('./status.ts'),
  upgrade: () => import('./upgrade.ts'),
}
