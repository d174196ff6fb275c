import { boolean, integer, option, string } from '@oclif/core/flags'
import { ChangeCommand, changeFlags } from '../src/cli/change-command.ts'
import { pairs } from '../src/cli/pairs.ts'
import { typedWords } from '../src/cli/typed-words.ts'

export class Upgrade extends ChangeCommand {
  static override summary = 'upgrade the controller to a release, with every step recorded and verified'

  static override description =
    'Checks first, shows the plan and asks. Then: back-up, access rights, and a second Deployment of the new release that waits under the same Lease; it is asked by every webhook path before requests go to it, and takes over when the old pods are gone. The usual Deployment follows behind it, and then each shim the same way. CRDs keep their storage version until it is proved that every ModelDeployment is reconciled and that no model was disturbed. Last of all it moves to that of the release, and with it every stored object, which is proved as well (as migrate does it); from then on there is no rollback to the release before. --hold-storage ends before that, and a finished run can be gone back from (rollback). Where a standby cannot be, the plan says why and goes in place. A run that stops can be gone on with (resume), or undone (abort) until storage moves.'

  static override examples = [
    { description: 'the plan, nothing else', command: '<%= config.bin %> <%= command.id %> --to v0.2.0 --dry-run' },
    { description: 'upgrade', command: '<%= config.bin %> <%= command.id %> --to v0.2.0' },
    {
      description: 'so that it can be gone back from',
      command: '<%= config.bin %> <%= command.id %> --to v0.2.0 --hold-storage',
    },
    {
      description: 'from files at hand, without questions',
      command: '<%= config.bin %> <%= command.id %> --to v0.5.0 --source ./airunway/deploy --yes',
    },
    {
      description: 'tell which image a shim shall run',
      command:
        '<%= config.bin %> <%= command.id %> --to v0.5.0 --image kaito=ghcr.io/kaito-project/airunway/kaito-provider:v0.3.0',
    },
  ]

  static override exitCodes = [
    'ok',
    'failed',
    'usage',
    'blocked',
    'warnings',
    'locked',
    'unfinished',
    'interrupted',
  ] as const

  static override flags = {
    ...changeFlags,
    to: string({ summary: 'version to go to', helpValue: 'VERSION', required: true }),
    source: string({ summary: "where the release's files are", helpValue: 'DIR|FILE|URL' }),
    releases: string({
      summary: 'folder of releases, one folder a version',
      helpValue: 'DIR',
      env: 'AIRUNWAY_RELEASES',
    }),
    image: string({
      summary: 'image of the controller or of a shim, instead of what the release says',
      helpValue: 'NAME=REF',
      multiple: true,
      multipleNonGreedy: true,
    }),
    registry: string({
      summary: 'registry to take images from, instead of the one that runs now',
      helpValue: 'HOST/PATH',
    }),
    compatibility: string({ summary: 'file with compatibility rows that go before all others', helpValue: 'FILE' }),
    conflicts: option({
      summary: 'fields of the release that another manager has changed',
      options: ['keep', 'overwrite', 'fail'] as const,
      default: 'keep',
    })(),
    tier: option({
      summary: 'how components go over; the best possible way for each unless told',
      options: ['standby', 'in-place'] as const,
    })(),
    'hold-storage': boolean({
      summary:
        'leave stored objects in the versions of before, so that rollback can go back (migrate moves them later)',
    }),
    'accept-loss': string({
      summary: 'give up a field that the new storage version does not have; its values are kept in the records',
      helpValue: 'DEFINITION:^.FIELD=REASON',
      multiple: true,
      multipleNonGreedy: true,
      exclusive: ['hold-storage'],
    }),
    'max-in-flight': integer({
      summary: 'at most so many writes at the same time when stored objects move',
      default: 32,
      min: 1,
      max: 32,
    }),
    'max-qps': integer({ summary: 'at most so many writes a second when stored objects move', min: 1 }),
    preflight: option({
      summary:
        'whose writes are tried before stored objects move: a sample (and all that are paused or being deleted), or all objects',
      options: ['sample', 'all'] as const,
      default: 'sample',
    })(),
    accept: string({
      summary: 'accept a finding, with the reason',
      helpValue: 'ID=REASON',
      multiple: true,
      multipleNonGreedy: true,
    }),
  }

  async run(): Promise<void> {
    const { flags, raw } = await this.parse(Upgrade)
    const images = pairs('--image', flags.image ?? [])
    const { upgrade } = await import('../src/services/upgrade.ts')
    const result = await upgrade(this.requestFor(flags, raw), {
      to: flags.to,
      source: flags.source,
      releases: flags.releases,
      registry: flags.registry,
      images,
      compatibility: flags.compatibility,
      accept: flags.accept,
      conflicts: flags.conflicts,
      tier: flags.tier,
      holdStorage: flags['hold-storage'],
      acceptLoss: flags['accept-loss'] ?? [],
      maxInFlight: flags['max-in-flight'],
      maxQps: flags['max-qps'],
      preflight: flags.preflight,
      dryRun: flags['dry-run'],
      typed: typedWords(raw),
    })
    await this.conclude(result, flags.output)
  }
}
