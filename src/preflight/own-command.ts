/** Commands of ours, whole: typed as they stand they go to the same cluster, with the same files and acceptances. */
import type { CheckContext } from './check.types.ts'

type Context = Pick<CheckContext, 'typed' | 'release'>

/** What to type to go to the release of this very look. */
export function upgradeCommand({ typed }: Context, version: string): string {
  return line(`upgrade --to ${version}`, typed?.connection, typed?.source, typed?.options)
}

/** What to type to look at another version: the source that was typed is that of this one. */
export function otherVersionCommand({ typed }: Context, version: string): string {
  return line(`preflight --to ${version}`, typed?.connection, typed?.options)
}

/** What to type to go back; takes nothing but the connection. */
export function rollbackCommand({ typed }: Context): string {
  return line('rollback', typed?.connection)
}

/** What to type to move stored objects to the storage version of their definition, or to another one that becomes it. */
export function migrateCommand({ typed }: Context, definition: string, version?: string): string {
  const storage = version && `--storage ${definition}=${version}`
  return line(`migrate ${definition}`, storage, typed?.connection)
}

/** What to type to accept a finding of this very look. */
export function acceptCommand({ typed, release }: Context, id: string, reason: string): string {
  const to = release && `--to ${release.version}`
  return line('preflight', to, typed?.connection, typed?.source, typed?.options, `--accept '${id}=${reason}'`)
}

function line(...parts: (string | undefined)[]): string {
  return ['kubectl airunway', ...parts].filter((part) => part !== undefined && part !== '').join(' ')
}
