import { string } from '@oclif/core/flags'
import { BaseCommand, reportFlags } from '../../src/cli/base-command.ts'

export class Up extends BaseCommand {
  static override summary = 'a real Kubernetes control plane on this machine, with AI Runway in it'

  static override description =
    'Starts etcd, kube-apiserver and kube-controller-manager without containers or root; pods are processes. ' +
    'The first start may compile the servers, which takes some minutes.'

  static override baseFlags = reportFlags

  static override examples = [
    { description: 'a healthy installation', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'another scenario, on an older Kubernetes',
      command: '<%= config.bin %> <%= command.id %> --scenario old-provider --kubernetes 1.30',
    },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'locked', 'interrupted'] as const

  static override flags = {
    scenario: string({ summary: 'what is installed in it', helpValue: 'NAME', default: 'healthy' }),
    kubernetes: string({ summary: 'minor version of Kubernetes', helpValue: 'MINOR', default: '1.36' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Up)
    const { up } = await import('../../src/playground/up.ts')
    const { report, already } = await up({
      scenario: flags.scenario,
      kubernetes: flags.kubernetes,
      env: process.env,
      progress: this.progress,
      signal: this.signal,
    })
    const { renderUp } = await import('../../src/playground/playground-report.ts')
    await this.print(renderUp(report, already, flags.output))
  }
}
