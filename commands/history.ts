import { integer } from '@oclif/core/args'
import { BaseCommand } from '../src/cli/base-command.ts'
import { recordFlags } from '../src/cli/change-command.ts'
import { toConnectionFlags } from '../src/cli/connection-flags.ts'

export class History extends BaseCommand {
  static override summary = 'the recorded runs: what was done, when, by whom, and how it ended'

  static override description = 'With a number it shows that run with every entry of its journal.'

  static override examples = [
    { description: 'all runs', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'one run, step by step', command: '<%= config.bin %> <%= command.id %> 3' },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'blocked', 'interrupted'] as const

  static override args = { number: integer({ name: 'N', description: 'number of a run', min: 1 }) }

  static override flags = recordFlags

  async run(): Promise<void> {
    const { args, flags } = await this.parse(History)
    const { history } = await import('../src/services/history.ts')
    const report = await history({
      connection: toConnectionFlags(flags),
      recordNamespace: flags['record-namespace'],
      number: args.number,
      now: this.now(),
    })
    const [{ renderDocument }, { documentOf }] = await Promise.all([
      import('../src/report/render.ts'),
      import('../src/report/documents.ts'),
    ])
    await this.print(renderDocument(documentOf('RunHistory', report), flags.output, this.style()))
  }
}
