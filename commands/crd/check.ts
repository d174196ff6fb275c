import { boolean, string } from '@oclif/core/flags'
import { commonFlags, outputFlag, PlainCommand } from '../../src/cli/base-command.ts'
import { connectionFlags, toConnectionFlags } from '../../src/cli/connection-flags.ts'
import { judgingFlags, releaseNumber, side, sourceFlags } from '../../src/cli/crd-flags.ts'
import type { ExitName } from '../../src/cli/exit-codes.ts'
import type { CrdComparisonReport } from '../../src/services/crd-report.types.ts'

const exitOf: Record<CrdComparisonReport['verdict'], ExitName> = {
  passed: 'ok',
  warnings: 'warnings',
  blocked: 'blocked',
}

export class CrdCheck extends PlainCommand {
  static override summary = 'what a change of CustomResourceDefinitions breaks, and whom'

  static override description =
    'Compares all definitions of both sides by name, forwards and backwards. The way forwards decides the exit code; what ' +
    'the way back would break is told. Changes nothing: --live reads objects and sends the new definition as a dry run.'

  static override examples = [
    { description: 'two files', command: '<%= config.bin %> <%= command.id %> old.yaml new.yaml' },
    { description: 'before merging', command: '<%= config.bin %> <%= command.id %> git:main:config/crd config/crd' },
    {
      description: 'against the cluster and its objects',
      command: '<%= config.bin %> <%= command.id %> cluster: config/crd --live',
    },
    {
      description: "by NGINX Gateway Fabric's policy",
      command:
        '<%= config.bin %> <%= command.id %> crds/v2.0.0 crds/v2.1.0 --profile ngf --history crds --release v2.1.0',
    },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'blocked', 'warnings', 'interrupted'] as const

  static override args = { old: side(), new: side() }

  static override baseFlags = {
    ...connectionFlags,
    ...commonFlags,
    output: outputFlag(['human', 'json', 'yaml', 'sarif', 'junit', 'markdown']),
  }

  static override flags = {
    ...judgingFlags,
    ...sourceFlags,
    config: string({ summary: "levels and accepted findings, or crdify's configuration", helpValue: 'FILE' }),
    'upgrade-only': boolean({ summary: 'leave the way back out', exclusive: ['rollback-only'] }),
    'rollback-only': boolean({ summary: 'only the way back, which decides then' }),
    live: boolean({ summary: 'test the stored objects of the cluster for what changes' }),
    release: string({
      summary: 'the release that NEW is for; of a series only earlier ones count',
      helpValue: 'VERSION',
      parse: releaseNumber,
    }),
    'release-notes': string({ summary: "that release's notes, where a policy asks for words", helpValue: 'FILE' }),
    installed: string({ summary: 'what is on the cluster that the release goes to', helpValue: 'SOURCE' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CrdCheck)
    const { crdCheck } = await import('../../src/services/crd-check.ts')
    const report = await crdCheck({
      before: args.old,
      after: args.new,
      ...flags,
      connection: toConnectionFlags(flags),
      only: flags['upgrade-only'] ? 'upgrade' : flags['rollback-only'] ? 'rollback' : undefined,
      releaseNotes: flags['release-notes'],
      today: this.today(),
      stdin: process.stdin,
      note: (text) => process.stderr.write(`${text}\n`),
      progress: this.progress,
      signal: this.signal,
    })
    const { renderComparison } = await import('../../src/report/render-crd.ts')
    await this.print(renderComparison(report, flags.output, this.style()))
    this.finish(exitOf[report.verdict])
  }
}
