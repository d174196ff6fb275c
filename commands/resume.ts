import { ChangeCommand, changeFlags } from '../src/cli/change-command.ts'

export class Resume extends ChangeCommand {
  static override summary = 'go on with a run that was interrupted or failed'

  static override description =
    'Follows the recorded plan: steps that are done are skipped, the one that the run stopped in is done again.'

  static override examples = [
    { description: 'what is left to do', command: '<%= config.bin %> <%= command.id %> --dry-run' },
    { description: 'go on', command: '<%= config.bin %> <%= command.id %>' },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'blocked', 'warnings', 'locked', 'interrupted'] as const

  static override flags = changeFlags

  async run(): Promise<void> {
    const { flags, raw } = await this.parse(Resume)
    const { resume } = await import('../src/services/resume.ts')
    await this.conclude(await resume(this.requestFor(flags, raw), { dryRun: flags['dry-run'] }), flags.output)
  }
}
