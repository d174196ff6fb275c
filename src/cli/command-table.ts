/** Commands by id: how to load each, and what help needs to know of them without loading any. */
import type { Command } from '@oclif/core/command'
import type { ExitName } from './exit-codes.ts'

/** One line per command: `'playground:up': () => import('./playground/up.ts')`. */
export type CommandTable = Readonly<Record<string, () => Promise<object>>>

/** What help and the parser's dispatch read; plain data, so that the bundle can carry it. */
export type CommandManifest = Readonly<Record<string, Command.Cached & { exitCodes?: readonly ExitName[] }>>

/** By its shape: importing oclif's class to compare with would cost every start 100 ms. */
const isCommandClass = (value: unknown): value is Command.Class =>
  typeof value === 'function' && 'run' in value && 'baseFlags' in value && 'args' in value

/** Loads a command's class: the first (only) one its module exports. Throws TypeError where there is none. */
export const loadCommand = async (table: CommandTable, id: string): Promise<Command.Class> => {
  const module = await table[id]?.()
  const found = module && Object.values(module).find(isCommandClass)
  if (found === undefined) throw new TypeError(`the module of command ${id} exports no command`)
  found.id = id
  return found
}

/** The manifest of all commands; loads each of them, so the bundle carries it ready-made. */
export const describeCommands = async (table: CommandTable): Promise<CommandManifest> => {
  const entries = await Promise.all(
    Object.keys(table)
      .toSorted()
      .map(async (id) => [id, describeCommand(id, await loadCommand(table, id))] as const),
  )
  // Once through JSON: functions (parsers, dynamic defaults) go, and the source and the bundle see the very same values.
  return JSON.parse(JSON.stringify(Object.fromEntries(entries))) as CommandManifest
}

const describeCommand = (id: string, command: Command.Class & { exitCodes?: readonly ExitName[] }): object => ({
  id,
  aliases: command.aliases,
  args: named(command.args),
  description: command.description,
  examples: command.examples,
  exitCodes: command.exitCodes,
  flags: named({ ...command.baseFlags, ...command.flags }),
  hasDynamicHelp: false,
  hidden: command.hidden ?? false,
  hiddenAliases: command.hiddenAliases,
  strict: command.strict,
  summary: command.summary,
  usage: command.usage,
})

const named = (entries: Readonly<Record<string, object>>): object =>
  Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, { ...value, name }]))
