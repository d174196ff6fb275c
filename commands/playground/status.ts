import { BaseCommand, reportFlags } from '../../src/cli/base-command.ts'

export class Status extends BaseCommand {
  static override summary = 'whether a playground is up, and where its files are'

  static override baseFlags = reportFlags

  static override examples = [
    { description: 'for people', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'for scripts', command: '<%= config.bin %> <%= command.id %> -o json' },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'interrupted'] as const

  async run(): Promise<void> {
    const { flags } = await this.parse(Status)
    const { playgroundStatus } = await import('../../src/playground/status.ts')
    const { renderStatus } = await import('../../src/playground/playground-report.ts')
    await this.print(renderStatus(playgroundStatus(process.env), flags.output))
  }
}
