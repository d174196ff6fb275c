/** Rewrites a few objects before all others where a webhook converts them, and stops if one of them has lost something. */
import type { AnyObject, CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { FirstObjects } from '../migration/migrate.types.ts'
import type { MigrationTarget } from '../migration/migration.types.ts'
import { tryRoundTrip } from '../migration/round-trip.ts'
import type { StepOf } from '../plan/plan.types.ts'
import { wordOf } from './flip-storage.ts'
import { type StepContext, StepFailed } from './step.types.ts'

const FIELDS_NAMED = 5

/** Name under which a run keeps the first objects of a definition as they were. */
export const firstName = (definition: string): string => `first-${wordOf(definition)}`

/** How many it has rewritten, and what it could not try. Throws StepFailed where something is lost that nobody has accepted. */
export const firstObjects = async (
  step: StepOf<'migrate'>,
  { live, target }: { live: CustomResourceDefinition; target: MigrationTarget },
  { client, signal, keep, kept, report, run }: StepContext,
): Promise<FirstObjects> => {
  if (target.conversion !== 'Webhook') return { rewritten: 0, requests: 0 }
  report('rewriting a few objects first, to see whether the conversion webhook brings back what it converts')
  const name = firstName(step.definition)
  const { rewritten, requests, compared, untried, lost } = await tryRoundTrip(client, live, target, {
    accepted: step.accepted ?? [],
    ...(step.force === true && { stored: target.versions }),
    // They are compared with what is read exactly, and kept again.
    kept: (await kept<AnyObject[]>(name, { exact: true })) ?? [],
    keep: async (objects) => keep(name, objects),
    signal,
  })
  if (lost !== undefined) throw new StepFailed(lossText(step, lost, run))
  if (compared.length === 0 || untried.length === 0) return { rewritten, requests }
  const more = untried.length > FIELDS_NAMED ? ` and ${untried.length - FIELDS_NAMED} more` : ''
  const named = untried.slice(0, FIELDS_NAMED).map((path) => `^.${path}`)
  const tried = `${compared.length} object${compared.length === 1 ? '' : 's'}`
  return {
    rewritten,
    requests,
    note: `${tried} came through the conversion webhook and back without a loss, but none of them has ${named.join(', ')}${more}`,
  }
}

const lossText = (
  { definition, storageVersion }: StepOf<'migrate'>,
  lost: NonNullable<Awaited<ReturnType<typeof tryRoundTrip>>['lost']>,
  run: number,
): string => {
  const { namespace, version, fields } = lost
  const object = namespace === undefined ? lost.name : `${namespace}/${lost.name}`
  const accept = fields.map((path) => `--accept-loss '${definition}:^.${path}=REASON'`).join(' ')
  return [
    `${definition}: written in ${storageVersion}, ${object} has lost ${fields.map((path) => `^.${path}`).join(', ')} in ${version}, for the conversion webhook does not bring back what it converts.`,
    `No further object was rewritten; this one is kept as it was: kubectl airunway history export ${run} FILE writes it under first.`,
    `Whatever else writes an object while the cluster stores ${storageVersion} loses as much.`,
    `End this run (kubectl airunway abort, or of an upgrade kubectl airunway resume --hold-storage), then go back with kubectl airunway migrate --storage ${definition}=${version}, or give the fields up, backed up first: kubectl airunway migrate ${definition} ${accept}`,
  ].join(' ')
}
