/** What the commands that change a cluster share: flags, the question, and how a result is printed. */
import { boolean, string } from '@oclif/core/flags'
import { Refusal } from '../report/refusal.ts'
import type { ChangeRequest } from '../services/run-plan.ts'
import type { ChangeResult, PlanReport } from '../services/run-report.types.ts'
import { BaseCommand } from './base-command.ts'
import { toConnectionFlags } from './connection-flags.ts'
import { carriedOn, type Token, typedWords } from './typed-words.ts'

export const recordFlags = {
  'record-namespace': string({
    summary: 'namespace that the records of runs are kept in',
    helpValue: 'NAMESPACE',
    default: 'airunway-runs',
    parse: async (name) => {
      if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) return name
      throw new Refusal('usage', `${name} is no name of a namespace.`, {
        why: 'It is a DNS label: lower-case letters, digits and dashes.',
      })
    },
  }),
}

export const changeFlags = {
  ...recordFlags,
  'dry-run': boolean({ summary: 'show the plan and change nothing' }),
  'print-rbac': boolean({
    summary: 'print, as YAML to be applied, exactly the rights that this run needs, and change nothing',
    exclusive: ['dry-run', 'backup-file'],
  }),
  for: string({
    summary: 'whom --print-rbac gives the rights to: a user, or system:serviceaccount:NAMESPACE:NAME',
    helpValue: 'USER',
    dependsOn: ['print-rbac'],
    parse: async (user) => {
      if (
        user !== '' &&
        (!user.startsWith('system:serviceaccount:') ||
          /^system:serviceaccount(:[a-z0-9]([-a-z0-9.]*[a-z0-9])?){2}$/.test(user))
      )
        return user
      throw new Refusal('usage', `"${user}" names nobody whom rights could be given to.`, {
        why: 'A user has a name; a ServiceAccount is system:serviceaccount:NAMESPACE:NAME.',
      })
    },
  }),
  'backup-file': string({
    summary: 'write the back-up to this new file as well (mode 0600: it may hold Secrets)',
    helpValue: 'FILE',
  }),
  'take-over': boolean({
    summary: 'take the lock from a process that still holds it but hangs, or whose machine sleeps',
  }),
  yes: boolean({ char: 'y', summary: 'go on without asking; needed where there is no terminal' }),
}

interface ChangeFlagValues {
  'record-namespace': string
  'print-rbac': boolean
  for?: string | undefined
  'backup-file'?: string | undefined
  'take-over': boolean
  yes: boolean
  output: 'human' | 'json' | 'yaml'
}

export abstract class ChangeCommand extends BaseCommand {
  /** What a service that changes a cluster is given. The plan is shown on stderr before the question. */
  protected requestFor(flags: ChangeFlagValues & Record<string, unknown>, raw: readonly Token[]): ChangeRequest {
    const records = flags['record-namespace']
    const recordWords = records === recordFlags['record-namespace'].default ? '' : `--record-namespace ${records}`
    this.carryOn = (hint) => carriedOn(hint, typedWords(raw), recordWords)
    return {
      connection: toConnectionFlags(flags),
      recordNamespace: flags['record-namespace'],
      now: () => this.now(),
      today: this.today(),
      progress: this.progress,
      signal: this.signal,
      ...(flags['take-over'] ? { takeOver: true } : {}),
      ...(flags['backup-file'] === undefined ? {} : { backupFile: flags['backup-file'] }),
      ...(flags['print-rbac'] ? { printRbac: flags.for === undefined ? {} : { user: flags.for } } : {}),
      confirm: async (plan) => {
        if (flags.yes) return true
        await this.#show(plan)
        return this.prompter(flags.yes).confirm(`Go on with this ${plan.plan.kind}?`)
      },
    }
  }

  async #show(plan: PlanReport): Promise<void> {
    const [{ renderDocument }, { documentOf }] = await Promise.all([
      import('../report/render.ts'),
      import('../report/documents.ts'),
    ])
    await this.progress.settle()
    process.stderr.write(`${renderDocument(documentOf('Plan', plan), 'human', this.style())}\n`)
  }

  /** The last line names commands. */
  #next(text: string, output: 'human' | 'json' | 'yaml'): string {
    return output === 'human' ? text.replace(/^Next: .*$/m, (line) => this.carryOn(line)) : text
  }

  /** Prints what came of it and sets the exit code: 4 where workloads are not as they were. */
  protected async conclude(result: ChangeResult, output: 'human' | 'json' | 'yaml'): Promise<void> {
    const [{ renderDocument }, { documentOf }] = await Promise.all([
      import('../report/render.ts'),
      import('../report/documents.ts'),
    ])
    switch (result.outcome) {
      case 'planned':
        if (result.report.blocked !== undefined) this.finish('blocked')
        return this.print(renderDocument(documentOf('Plan', result.report), output, this.style()))
      case 'rights':
        return this.print(renderDocument(documentOf('AccessRights', result.report), output, this.style()))
      case 'closed':
        return this.print(renderDocument(documentOf('ClosedRun', result.report), output, this.style()))
      case 'declined':
        process.stderr.write('Nothing was done.\n')
        return this.finish('failed')
      case 'nothing-to-do':
        return this.print(renderDocument(documentOf('NothingToDo', result.report), output, this.style()))
      case 'nothing-to-migrate':
        return this.print(renderDocument(documentOf('NothingToMigrate', result.report), output, this.style()))
      case 'ran':
        if (result.report.workloads.disturbed > 0) this.finish('warnings')
        return this.print(this.#next(renderDocument(documentOf('Run', result.report), output, this.style()), output))
    }
  }
}
