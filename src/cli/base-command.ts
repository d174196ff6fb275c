/** What all commands share: flags, the result on stdout, progress on stderr, one way to fail. No Kubernetes code is loaded here. */
import { Command } from '@oclif/core/command'
import { boolean, option } from '@oclif/core/flags'
import type { TextStyle } from '../report/style.ts'
import { connectionFlags } from './connection-flags.ts'
import { describeError } from './error-report.ts'
import { ExitCode, type ExitName, exitNames } from './exit-codes.ts'
import { type Interruption, listenForInterruption } from './interruption.ts'
import { createProgress, type DrawnProgress } from './progress.ts'
import { createPrompter, type Prompter } from './prompter.ts'
import { outputOf, renderError } from './render-error.ts'
import { wantsColor, wantsUnicode, widthOf } from './terminal.ts'
import { todayFrom } from './today.ts'

/** `-o`, with `human` first and the default. */
export const outputFlag = <T extends string>(formats: readonly [T, ...T[]]) =>
  option({ char: 'o', summary: 'form of the result', options: formats, default: formats[0] })()

/** Flags of every command, also of those that never connect. */
export const commonFlags = {
  'no-color': boolean({ summary: 'no colours (also: NO_COLOR)' }),
}

/** For commands that print a result but connect to no cluster. */
export const reportFlags = {
  ...commonFlags,
  output: outputFlag(['human', 'json', 'yaml']),
}

/** Behaviour without flags of its own: for commands that neither connect nor print a document. */
export abstract class PlainCommand extends Command {
  static override baseFlags: Command.Class['baseFlags'] = commonFlags

  /** Exit codes this command can end with: printed in its help. */
  static exitCodes: readonly ExitName[] = exitNames

  #interruption: Interruption | undefined
  #progress: DrawnProgress | undefined

  protected override async init(): Promise<void> {
    await super.init()
    this.#interruption = listenForInterruption({
      notify: () => process.stderr.write('\nStopping; press Ctrl-C again to end at once.\n'),
      exit: (code) => process.exit(code),
    })
  }

  /** Aborted by the first Ctrl-C (also SIGTERM and SIGHUP): hand it to services. */
  protected get signal(): AbortSignal {
    return (this.#interruption ?? missing('signal')).signal
  }

  /** Draws on stderr. */
  protected get progress(): DrawnProgress {
    this.#progress ??= createProgress({
      stderr: process.stderr,
      env: process.env,
      color: wantsColor(process.stderr, process.env, this.argv.includes('--no-color')),
    })
    return this.#progress
  }

  /** The clock. */
  protected now(): Date {
    return new Date()
  }

  /** The date that support tables are read by: today, or AIRUNWAY_TODAY. */
  protected today(): Date {
    return todayFrom(process.env)
  }

  /** What stdout can show. */
  protected style(): TextStyle {
    return {
      color: wantsColor(process.stdout, process.env, this.argv.includes('--no-color')),
      unicode: wantsUnicode(process.env, process.platform),
      width: widthOf(process.stdout),
    }
  }

  /** Asks on stderr; with `yes` everything is confirmed, and without a terminal a question is refused (exit 2). */
  protected prompter(yes: boolean): Prompter {
    const prompter = createPrompter({ yes, stdin: process.stdin, stderr: process.stderr, signal: this.signal })
    return {
      confirm: async (message) => {
        await this.#progress?.settle()
        return prompter.confirm(message)
      },
    }
  }

  /** Prints the result on stdout, once progress is drawn; ends with one newline. */
  protected async print(text: string): Promise<void> {
    await this.#progress?.settle()
    process.stdout.write(text.endsWith('\n') || text === '' ? text : `${text}\n`)
  }

  /** Puts what was typed into the commands that a hint names; set by commands that take connection flags. */
  protected carryOn: (hint: string) => string = (hint) => hint

  /** The command is done and its result says this. */
  protected finish(name: ExitName): void {
    process.exitCode = ExitCode[name]
  }

  /** Renders the error (a document on stdout for `-o json|yaml`, else text on stderr) and sets the exit code. */
  protected override async catch(error: Error): Promise<void> {
    await this.#progress?.stop()
    const aborted = this.#interruption?.signal.aborted === true
    const report = describeError(aborted ? interrupted(error) : error, {
      usage: `${this.config.bin} ${(this.id ?? '').replaceAll(':', ' ')} --help`,
      // A command without flags of its own has none here.
      printsRights: Object.hasOwn(this.ctor.flags ?? {}, 'print-rbac'),
    })
    if (aborted) report.exit = 'interrupted'
    if (report.next !== undefined) report.next = this.carryOn(report.next)
    const { stdout, stderr } = await renderError(report, outputOf(this.argv), {
      color: wantsColor(process.stderr, process.env, this.argv.includes('--no-color')),
    })
    process.stdout.write(stdout)
    process.stderr.write(stderr)
    if (process.env['AIRUNWAY_DEBUG']) process.stderr.write(`${error.stack ?? ''}\n`)
    process.exitCode = ExitCode[report.exit]
  }

  /** Ctrl-C is 130 always, also where the service ended well after it. */
  protected override async finally(error: Error | undefined): Promise<void> {
    await this.#progress?.stop()
    if (this.#interruption?.signal.aborted) process.exitCode = ExitCode.interrupted
    this.#interruption?.[Symbol.dispose]()
    await super.finally(error)
  }
}

/** The usual command: connects to a cluster and prints a document. One that does not connect sets `baseFlags = reportFlags`. */
export abstract class BaseCommand extends PlainCommand {
  static override baseFlags: typeof reportFlags & Partial<typeof connectionFlags> = {
    ...connectionFlags,
    ...reportFlags,
  }
}

/** What a service threw because it was aborted is an interruption, unless it tells more than that itself. */
const interrupted = (error: Error): Error =>
  error.name === 'Refusal' ? error : Object.assign(new Error('Interrupted.', { cause: error }), { name: 'AbortError' })

const missing = (what: string): never => {
  throw new Error(`${what} is there only once the command is running`)
}
