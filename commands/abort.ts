import { ChangeCommand, changeFlags } from '../src/cli/change-command.ts'

export class Abort extends ChangeCommand {
  static override summary = 'undo what a run did that was interrupted or failed'

  static override description =
    'Works from wherever the run stopped, with the back-up that it took: an upgrade goes back to the release before it, a rollback forward again to the release that it was going back from. An upgrade that has moved a storage version cannot be undone any more and is gone on with (resume). A run that had not changed anything yet is closed; so is a migration, of which nothing is taken back. An upgrade that has ended is gone back from with rollback.'

  static override examples = [
    { description: 'the plan, nothing else', command: '<%= config.bin %> <%= command.id %> --dry-run' },
    { description: 'undo it', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'undo what a process does that hangs, or whose machine sleeps',
      command: '<%= config.bin %> <%= command.id %> --take-over',
    },
  ]

  static override exitCodes = [
    'ok',
    'failed',
    'usage',
    'blocked',
    'warnings',
    'locked',
    'cannotGoBack',
    'interrupted',
  ] as const

  static override flags = changeFlags

  async run(): Promise<void> {
    const { flags, raw } = await this.parse(Abort)
    const { abort } = await import('../src/services/abort.ts')
    await this.conclude(await abort(this.requestFor(flags, raw), { dryRun: flags['dry-run'] }), flags.output)
  }
}
