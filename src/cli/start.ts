/** Starts the program: reads the words typed, runs one command or prints help, renders what goes wrong. */
import { Refusal } from '../report/refusal.ts'
import type { CommandManifest, CommandTable } from './command-table.ts'
import { asksVersion, type Dispatch, dispatch } from './dispatch.ts'
import { describeError } from './error-report.ts'
import { ExitCode } from './exit-codes.ts'
import { outputOf, renderError } from './render-error.ts'
import { wantsColor } from './terminal.ts'

/** What start-up reads of package.json. */
export interface PackageDescription {
  name: string
  version: string
  oclif: { bin: string; topics?: Readonly<Record<string, { description: string }>> }
}

export interface StartInput {
  argv: readonly string[]
  root: string
  pjson: PackageDescription
  commands: CommandTable
  manifest: () => Promise<CommandManifest>
}

/** Runs to the end and sets the exit code; never rejects. */
export const start = async (input: StartInput): Promise<void> => {
  try {
    await route(input)
  } catch (error) {
    await reportFailure(error, input.argv, `${input.pjson.oclif.bin} --help`)
  }
}

/** Renders an error that no command has rendered, and sets the exit code. */
export const reportFailure = async (error: unknown, argv: readonly string[], usage: string): Promise<void> => {
  const report = describeError(error, { usage })
  const color = wantsColor(process.stderr, process.env, argv.includes('--no-color'))
  const { stdout, stderr } = await renderError(report, outputOf(argv), { color })
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  if (process.env['AIRUNWAY_DEBUG'] && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  process.exitCode = ExitCode[report.exit]
}

const route = async (input: StartInput): Promise<void> => {
  if (asksVersion(input.argv)) {
    process.stdout.write(`${versionLine(input.pjson)}\n`)
    return
  }
  const manifest = await input.manifest()
  const known = Object.fromEntries(
    Object.entries(manifest).map(([id, command]) => [
      id,
      { takesArguments: command.strict === false || Object.keys(command.args ?? {}).length > 0 },
    ]),
  )
  const decided = dispatch(input.argv, { ids: known })
  const bin = input.pjson.oclif.bin
  if (decided.kind === 'unknown' || decided.kind === 'unexpected') throw refusalOf(decided, bin)
  const { runCommand, showHelp } = await import('./oclif.ts')
  if (decided.kind === 'help') await showHelp(input, manifest, decided.id)
  else await runCommand(input, manifest, decided.id, decided.argv)
}

/** Name, version, platform and runtime, in the form oclif gives its user agent. */
export const versionLine = (pjson: { name: string; version: string }): string =>
  `${pjson.name}/${pjson.version} ${process.platform}-${process.arch} node-${process.version}`

const refusalOf = (decided: Extract<Dispatch, { kind: 'unknown' | 'unexpected' }>, bin: string): Refusal => {
  if (decided.kind === 'unexpected') {
    const command = decided.id.replaceAll(':', ' ')
    return new Refusal('usage', `Unexpected argument: ${decided.word}`, { next: `${bin} ${command} --help` })
  }
  const near = decided.near.map((name) => `${bin} ${name}`).join(', ')
  return new Refusal('usage', decided.typed === '' ? 'No command given.' : `Unknown command: ${decided.typed}`, {
    why: near === '' ? undefined : `Near ones: ${near}`,
    next: `${bin} --help`,
  })
}
