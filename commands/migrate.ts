import { boolean, integer, option, string } from '@oclif/core/flags'
import { ChangeCommand, changeFlags } from '../src/cli/change-command.ts'
import { pairs } from '../src/cli/pairs.ts'

export class Migrate extends ChangeCommand {
  static override summary = 'move stored objects to the storage version of their definition, and prove it'

  static override description =
    'Takes names of CustomResourceDefinitions of any operator (their full names; a kind or plural where it is the only one), --all, or nothing for those of AI Runway. Looks first: what is stored where, what a rewrite would drop, who would refuse it. Then every object is written anew by a patch that changes nothing, as many at a time as the API server gains by. A second pass, begun when no write from before can land any more, proves it: an object whose resourceVersion does not change is stored at the storage version. Only then status.storedVersions is trimmed. Where an upgrade has held the storage version, it moves first; there is no rollback to the release before across that. A run that stops is gone on with from where it was (resume), or closed (abort).'

  static override examples = [
    {
      description: 'what there is to do, and nothing else',
      command: '<%= config.bin %> <%= command.id %> --all --dry-run',
    },
    { description: 'the definitions of AI Runway', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'those of somebody else, gently and without questions',
      command: '<%= config.bin %> <%= command.id %> rayservices.ray.io workspaces.kaito.sh --max-qps 50 --yes',
    },
    {
      description: 'a field that the storage version lacks is given up, backed up first',
      command:
        "<%= config.bin %> <%= command.id %> widgets.example.com --accept-loss 'widgets.example.com:^.spec.size=replaced by spec.scale'",
    },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'blocked', 'locked', 'unfinished', 'interrupted'] as const

  /** any number of definitions */
  static override strict = false

  static override usage = 'migrate [DEFINITION...] [--all]'

  static override flags = {
    ...changeFlags,
    all: boolean({ summary: 'all definitions of the cluster that need it' }),
    storage: string({
      summary: 'make this version the storage version first',
      helpValue: 'DEFINITION=VERSION',
      multiple: true,
      multipleNonGreedy: true,
      exclusive: ['all'],
    }),
    'max-in-flight': integer({ summary: 'at most so many writes at the same time', default: 32, min: 1, max: 32 }),
    'max-qps': integer({ summary: 'at most so many writes a second', min: 1 }),
    preflight: option({
      summary: 'whose writes are tried before: a sample (and all that are paused or being deleted), or all objects',
      options: ['sample', 'all'] as const,
      default: 'sample',
    })(),
    'accept-loss': string({
      summary: 'give up a field that the storage version does not have; its values are backed up',
      helpValue: 'DEFINITION:^.FIELD=REASON',
      multiple: true,
      multipleNonGreedy: true,
    }),
    engine: option({
      summary: "who rewrites: this plugin, or the cluster's own migrator, whose work is proved all the same",
      options: ['own', 'in-tree'] as const,
      default: 'own',
    })(),
    'force-scan': boolean({
      summary: 'look at the objects though status names the storage version alone',
      exclusive: ['all'],
    }),
    'repair-unreadable': boolean({
      summary: 'bring back versions that objects are stored in and that have left the definition',
    }),
  }

  async run(): Promise<void> {
    const { flags, raw, argv } = await this.parse(Migrate)
    const { migrate } = await import('../src/services/migrate.ts')
    const result = await migrate(this.requestFor(flags, raw), {
      names: argv.map(String),
      all: flags.all,
      storage: pairs('--storage', flags.storage ?? []) ?? {},
      maxInFlight: flags['max-in-flight'],
      maxQps: flags['max-qps'],
      preflight: flags.preflight,
      acceptLoss: flags['accept-loss'] ?? [],
      engine: flags.engine,
      forceScan: flags['force-scan'],
      repairUnreadable: flags['repair-unreadable'],
      dryRun: flags['dry-run'],
    })
    await this.conclude(result, flags.output)
  }
}
