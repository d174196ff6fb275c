import { BaseCommand, reportFlags } from '../../src/cli/base-command.ts'

export class Down extends BaseCommand {
  static override summary = 'end the playground and remove its files'

  static override description =
    'Also removes what a playground that was killed left behind. The compiled servers stay in the cache.'

  static override baseFlags = reportFlags

  static override examples = [{ description: 'remove it', command: '<%= config.bin %> <%= command.id %>' }]

  static override exitCodes = ['ok', 'failed', 'usage', 'interrupted'] as const

  async run(): Promise<void> {
    const { flags } = await this.parse(Down)
    const { down, playgroundStatus } = await import('../../src/playground/status.ts')
    const removed = await down(process.env)
    const { renderDown } = await import('../../src/playground/playground-report.ts')
    await this.print(renderDown(playgroundStatus(process.env), removed, flags.output))
  }
}
