import { string } from '@oclif/core/flags'
import { BaseCommand } from '../../src/cli/base-command.ts'
import { toConnectionFlags } from '../../src/cli/connection-flags.ts'
import { judgingFlags, releaseNumber, side, sourceFlags } from '../../src/cli/crd-flags.ts'

export class CrdNext extends BaseCommand {
  static override summary = 'how a wanted change of a CustomResourceDefinition gets into releases'

  static override description =
    'Says whether the change needs no new version, one with a conversion webhook or one without, and which release does what.'

  static override examples = [
    {
      description: 'a wanted change',
      command: '<%= config.bin %> <%= command.id %> old.yaml wanted.yaml --profile ngf --next-release v1.4.0',
    },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'interrupted'] as const

  static override args = { old: side(), wanted: side() }

  static override flags = {
    ...judgingFlags,
    ...sourceFlags,
    'next-release': string({ summary: 'number of the next release', helpValue: 'VERSION', parse: releaseNumber }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CrdNext)
    const { crdNext } = await import('../../src/services/crd-next.ts')
    const report = await crdNext({
      before: args.old,
      after: args.wanted,
      ...flags,
      connection: toConnectionFlags(flags),
      nextRelease: flags['next-release'],
      today: this.today(),
      stdin: process.stdin,
      note: (text) => process.stderr.write(`${text}\n`),
      signal: this.signal,
    })
    const { renderDocument } = await import('../../src/report/render.ts')
    await this.print(renderDocument(report, flags.output, this.style()))
  }
}
