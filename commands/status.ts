import { boolean } from '@oclif/core/flags'
import { BaseCommand } from '../src/cli/base-command.ts'
import { recordFlags } from '../src/cli/change-command.ts'
import { toConnectionFlags } from '../src/cli/connection-flags.ts'
import { carriedOn, typedWords } from '../src/cli/typed-words.ts'

export class Status extends BaseCommand {
  static override summary = 'what runs, whether a run is unfinished and how to end it, and what is left behind'

  static override description =
    'Changes nothing. Shows versions and Lease holders, the newest run, who holds the lock, whether one can go back and why not, and what a run that stopped has left in the cluster.'

  static override examples = [
    { description: 'now', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'for scripts: exit 6 while a run is unfinished',
      command: '<%= config.bin %> <%= command.id %> --exit-code',
    },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'blocked', 'unfinished', 'interrupted'] as const

  static override flags = {
    ...recordFlags,
    'exit-code': boolean({ summary: 'end with 6 where a run is unfinished' }),
  }

  async run(): Promise<void> {
    const { flags, raw } = await this.parse(Status)
    const { status } = await import('../src/services/status.ts')
    const report = await status({
      connection: toConnectionFlags(flags),
      recordNamespace: flags['record-namespace'],
      now: this.now(),
      signal: this.signal,
    })
    const [{ renderDocument }, { documentOf }] = await Promise.all([
      import('../src/report/render.ts'),
      import('../src/report/documents.ts'),
    ])
    const text = renderDocument(documentOf('Status', report), flags.output, this.style())
    const records = flags['record-namespace']
    const words = records === recordFlags['record-namespace'].default ? '' : `--record-namespace ${records}`
    await this.print(flags.output === 'human' ? carriedOn(text, typedWords(raw), words) : text)
    if (flags['exit-code'] && report.unfinished) this.finish('unfinished')
  }
}
