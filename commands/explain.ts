import { string } from '@oclif/core/args'
import { BaseCommand, reportFlags } from '../src/cli/base-command.ts'

export class Explain extends BaseCommand {
  static override summary = 'what a finding means, and what to do about it'

  static override description = 'Prints the page of a check, offline. Without an ID it lists all of them.'

  static override examples = [
    { description: 'one finding', command: '<%= config.bin %> <%= command.id %> kubelet-too-old' },
    { description: 'all of them', command: '<%= config.bin %> <%= command.id %>' },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'interrupted'] as const

  static override baseFlags = reportFlags

  static override args = { id: string({ name: 'ID', description: 'ID of a finding' }) }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Explain)
    const { explain } = await import('../src/services/explain.ts')
    const explanation = await explain(args.id)
    const { renderDocument } = await import('../src/report/render.ts')
    await this.print(renderDocument(explanation, flags.output, this.style()))
  }
}
