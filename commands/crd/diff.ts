import { BaseCommand } from '../../src/cli/base-command.ts'
import { toConnectionFlags } from '../../src/cli/connection-flags.ts'
import { side, sourceFlags } from '../../src/cli/crd-flags.ts'

export class CrdDiff extends BaseCommand {
  static override summary = 'what has changed in CustomResourceDefinitions, without any judgement'

  static override description = 'Compares what schemas accept, keep and fill in: the order of keys says nothing.'

  static override examples = [
    { description: 'two files', command: '<%= config.bin %> <%= command.id %> old.yaml new.yaml' },
    {
      description: 'a release and the cluster',
      command: '<%= config.bin %> <%= command.id %> cluster: release:v0.2.0',
    },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'interrupted'] as const

  static override args = { old: side(), new: side() }

  static override flags = sourceFlags

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CrdDiff)
    const { crdDiff } = await import('../../src/services/crd-diff.ts')
    const report = await crdDiff({
      before: args.old,
      after: args.new,
      ...flags,
      connection: toConnectionFlags(flags),
      stdin: process.stdin,
      note: (text) => process.stderr.write(`${text}\n`),
      signal: this.signal,
    })
    const { renderDocument } = await import('../../src/report/render.ts')
    await this.print(renderDocument(report, flags.output, this.style()))
  }
}
