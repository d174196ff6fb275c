/** Help pages: oclif's own, with a usage line that stays short and the exit codes at the end. */
import type { Command } from '@oclif/core/command'
import { CommandHelp, Help, type HelpSectionRenderer } from '@oclif/core/help'
import { ExitCode, type ExitName, exitMeanings, exitNames } from './exit-codes.ts'

const exitCodeLines = (names: readonly ExitName[]): [string, string][] =>
  names.map((name) => [String(ExitCode[name]), exitMeanings[name]])

class AirunwayCommandHelp extends CommandHelp {
  /** Connection flags would make oclif's docopt usage ten lines long: it names what must be given and says there are flags. */
  protected override defaultUsage(): string {
    const args = Object.values(this.command.args ?? {}).filter((arg) => !arg.hidden)
    const required = Object.values(this.command.flags ?? {}).filter((flag) => flag.required === true)
    const flags = required.map((flag) =>
      flag.type === 'option' ? `--${flag.name} ${flag.helpValue?.toString() ?? 'VALUE'}` : `--${flag.name}`,
    )
    return [this.command.id, ...args.map((arg) => this.arg(arg)), ...flags, '[FLAGS]'].join(' ')
  }

  protected override sections(): { generate: HelpSectionRenderer; header: string }[] {
    const names = (this.command as Command.Loadable & { exitCodes?: readonly ExitName[] }).exitCodes ?? exitNames
    return [
      ...super.sections(),
      { header: 'EXIT CODES', generate: (_, header) => [{ header, body: exitCodeLines(names) }] },
    ]
  }
}

export class AirunwayHelp extends Help {
  protected override CommandHelpClass = AirunwayCommandHelp

  override async showRootHelp(): Promise<void> {
    await super.showRootHelp()
    this.log(this.section('EXIT CODES', exitCodeLines(exitNames)))
    this.log(`\nHelp on a command: ${this.config.bin} COMMAND --help`)
  }
}
