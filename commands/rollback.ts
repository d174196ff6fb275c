import { ChangeCommand, changeFlags } from '../src/cli/change-command.ts'

export class Rollback extends ChangeCommand {
  static override summary = 'go back to the release before the last upgrade'

  static override description =
    'Works from wherever the upgrade ended or stopped, with the back-up that it took. Controller, access rights and webhooks go back; versions that the upgrade added to a CRD go out again while nothing is stored in them; a CRD is never deleted. Refuses, with the reason, where objects would be lost: so once stored objects have moved to a version that the release before does not know, which an upgrade with --hold-storage leaves out.'

  static override examples = [
    { description: 'the plan, nothing else', command: '<%= config.bin %> <%= command.id %> --dry-run' },
    { description: 'go back', command: '<%= config.bin %> <%= command.id %>' },
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
    const { flags, raw } = await this.parse(Rollback)
    const { rollback } = await import('../src/services/rollback.ts')
    await this.conclude(await rollback(this.requestFor(flags, raw), { dryRun: flags['dry-run'] }), flags.output)
  }
}
