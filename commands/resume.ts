import { boolean } from '@oclif/core/flags'
import { ChangeCommand, changeFlags } from '../src/cli/change-command.ts'

export class Resume extends ChangeCommand {
  static override summary = 'go on with a run that was interrupted or failed'

  static override description =
    'Follows the recorded plan: steps that are done are skipped, the one that the run stopped in is done again.'

  static override examples = [
    { description: 'what is left to do', command: '<%= config.bin %> <%= command.id %> --dry-run' },
    { description: 'go on', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'end an upgrade whose objects cannot be moved now',
      command: '<%= config.bin %> <%= command.id %> --hold-storage',
    },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'blocked', 'warnings', 'locked', 'interrupted'] as const

  static override flags = {
    ...changeFlags,
    'hold-storage': boolean({
      summary: 'end an upgrade without moving what is left of its stored objects (migrate does that later)',
    }),
  }

  async run(): Promise<void> {
    const { flags, raw } = await this.parse(Resume)
    const { resume } = await import('../src/services/resume.ts')
    const result = await resume(this.requestFor(flags, raw), {
      dryRun: flags['dry-run'],
      holdStorage: flags['hold-storage'],
    })
    await this.conclude(result, flags.output)
  }
}
