import { integer, string } from '@oclif/core/args'
import { BaseCommand } from '../../src/cli/base-command.ts'
import { recordFlags } from '../../src/cli/change-command.ts'
import { toConnectionFlags } from '../../src/cli/connection-flags.ts'

export class HistoryExport extends BaseCommand {
  static override summary = 'save a run: its plan, every entry of its journal, and its back-up'

  static override description =
    'Writes one new file with mode 0600, since back-ups hold Secrets; it never writes over another file. The form is YAML where the name ends in .yaml or .yml, else JSON. A dash prints it on stdout instead, in the form of -o.'

  static override examples = [
    { description: 'into a file', command: '<%= config.bin %> history export 3 run-3.json' },
    { description: 'to be looked at', command: '<%= config.bin %> history export 3 - -o yaml' },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'blocked', 'interrupted'] as const

  static override args = {
    number: integer({ name: 'N', description: 'number of a run', min: 1, required: true }),
    file: string({ name: 'FILE', description: 'file to write, or - for stdout', required: true }),
  }

  static override flags = recordFlags

  async run(): Promise<void> {
    const { args, flags } = await this.parse(HistoryExport)
    const { exportRun, readRun } = await import('../../src/services/export-run.ts')
    const record = await readRun({
      connection: toConnectionFlags(flags),
      recordNamespace: flags['record-namespace'],
      number: args.number,
      now: this.now(),
    })
    const [{ renderDocument }, { documentOf }] = await Promise.all([
      import('../../src/report/render.ts'),
      import('../../src/report/documents.ts'),
    ])
    const yaml = /\.ya?ml$/i.test(args.file) || (args.file === '-' && flags.output === 'yaml')
    const text = renderDocument(documentOf('RunRecord', record), yaml ? 'yaml' : 'json', this.style())
    if (args.file === '-') return this.print(text)
    const done = await exportRun(record, args.file, text)
    await this.print(renderDocument(documentOf('RunExport', done), flags.output, this.style()))
  }
}
