import { string } from '@oclif/core/flags'
import { BaseCommand } from '../src/cli/base-command.ts'
import { toConnectionFlags } from '../src/cli/connection-flags.ts'
import type { ExitName } from '../src/cli/exit-codes.ts'
import { typedWords } from '../src/cli/typed-words.ts'
import type { Verdict } from '../src/preflight/report.types.ts'

const exitOf: Record<Verdict, ExitName> = { passed: 'ok', warnings: 'warnings', blocked: 'blocked' }

export class Preflight extends BaseCommand {
  static override summary = 'look before an upgrade: what would go wrong, and what is wrong already'

  static override description =
    'Runs every check and then gives one verdict. Changes nothing. Without --to it looks at what runs now.'

  static override examples = [
    { description: 'the health of what runs now', command: '<%= config.bin %> <%= command.id %>' },
    { description: 'before an upgrade', command: '<%= config.bin %> <%= command.id %> --to v0.2.0' },
    {
      description: 'accept one finding, with the reason',
      command:
        "<%= config.bin %> <%= command.id %> --to v0.2.0 --accept 'kubernetes-newer-than-tested=tried on a test cluster'",
    },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'blocked', 'warnings', 'interrupted'] as const

  static override flags = {
    to: string({ summary: 'version to go to', helpValue: 'VERSION' }),
    source: string({ summary: "where the release's files are", helpValue: 'DIR|FILE|URL', dependsOn: ['to'] }),
    releases: string({
      summary: 'folder of releases, one folder a version',
      helpValue: 'DIR',
      env: 'AIRUNWAY_RELEASES',
    }),
    compatibility: string({ summary: 'file with compatibility rows that go before all others', helpValue: 'FILE' }),
    accept: string({
      summary: 'accept a finding, with the reason',
      helpValue: 'ID=REASON',
      multiple: true,
      multipleNonGreedy: true,
    }),
  }

  async run(): Promise<void> {
    const { flags, raw } = await this.parse(Preflight)
    const { preflight } = await import('../src/services/preflight.ts')
    const report = await preflight({
      connection: toConnectionFlags(flags),
      to: flags.to,
      source: flags.source,
      releases: flags.releases,
      compatibility: flags.compatibility,
      accept: flags.accept,
      typed: typedWords(raw),
      now: this.now(),
      today: this.today(),
      progress: this.progress,
      signal: this.signal,
    })
    const { renderDocument } = await import('../src/report/render.ts')
    await this.print(renderDocument(report, flags.output, this.style()))
    this.finish(exitOf[report.verdict])
  }
}
