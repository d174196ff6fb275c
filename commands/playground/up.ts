import { string } from '@oclif/core/flags'
import { BaseCommand, reportFlags } from '../../src/cli/base-command.ts'

/** Written here because help loads nothing of the playground; a test holds it to the scenarios that there are. */
const scenarioLines = `Scenarios:
- healthy: KubeAIRunway v0.1.0 with two shims and seven ModelDeployments on supported operators; v0.2.0 can follow
- policy-matrix: healthy, but v0.1.0 and v0.2.0 say nothing of their own: the policy document's matrix applies
- old-provider: KAITO 0.4.4, which serves Workspaces as v1alpha1 only: its ModelDeployments have failed
- stored-v1alpha1: v0.3.0 came over v0.1.0: an object is still stored as v1alpha1, which v0.4.0 no longer has
- before-v1: v0.4.0, everything stored as v1beta1; v0.5.0 can follow, which adds v1 and replaces the pods of KubeRay
- skewed-nodes: healthy, but the kubelet of one node is four minors behind the API server`

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
    scenario: string({
      summary: 'what is installed in it',
      description: scenarioLines,
      helpValue: 'NAME',
      default: 'healthy',
    }),
    kubernetes: string({
      summary: 'minor version of Kubernetes: 1.36 or 1.30',
      helpValue: 'MINOR',
      default: '1.36',
    }),
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
