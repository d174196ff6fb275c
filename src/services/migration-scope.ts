/** Which definitions a migration is about, and which of them get another storage version first. */
import { listRuns, openRun, planOf } from '../journal/records.ts'
import { upgradeInForce } from '../journal/standing.ts'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isForbidden } from '../kubernetes/errors.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { withStorageHeld } from '../plan/migration-steps.ts'
import { products } from '../releases/products.ts'
import { Refusal } from '../report/refusal.ts'
import { type AcceptedLoss, lossName } from './accepted-losses.ts'
import type { ChangeContext } from './run-plan.ts'

export interface ScopeOptions {
  /** as typed: `plural.group`, a plural or a kind */
  names: readonly string[]
  all: boolean
  /** storage versions to be set first, by definition */
  storage: Readonly<Record<string, string>>
}

export interface MigrationScope {
  names: string[] | 'all'
  /** storage versions that were asked for, by the full name of the definition */
  storage: Readonly<Record<string, string>>
  /** storage versions that definitions get first, those that an upgrade has held as well */
  flips: ReadonlyMap<string, string>
  /** definitions that are not there are left out: which names AI Runway goes by was only guessed */
  known: boolean
  /** what is left out on purpose */
  notes: string[]
}

const definitions = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }

/**
 * Names that were typed, all, or those of AI Runway. A storage version that an upgrade has held moves with a definition that is
 * named, or with AI Runway's; with `all` it stays, for nobody means to give up the way back by tidying up.
 */
export const scopeOf = async (context: ChangeContext, options: ScopeOptions): Promise<MigrationScope> => {
  const held = await heldStorage(context)
  if (options.all) return { names: 'all', storage: {}, flips: new Map(), known: true, notes: notMoved(held) }
  const typed = await Promise.all(options.names.map(async (name) => fullName(context, name)))
  const storage = await byFullName(context, options.storage)
  const wanted = [...new Set([...typed, ...Object.keys(storage)])]
  const own = products().flatMap(({ crds }) => [crds.modelDeployments, crds.inferenceProviderConfigs])
  const names = wanted.length > 0 ? wanted : [...new Set(own)]
  const flips = new Map(names.flatMap((name) => (held[name] === undefined ? [] : [[name, held[name]] as const])))
  for (const [name, version] of Object.entries(storage)) flips.set(name, version)
  return { names, storage, flips, known: wanted.length > 0, notes: [] }
}

/** Throws `usage` for what can be said without a cluster. */
export const refuseOdd = ({ names, all }: Pick<ScopeOptions, 'names' | 'all'>): void => {
  if (all && names.length > 0)
    throw new Refusal('usage', '--all and names of definitions exclude each other.', {
      next: 'kubectl airunway migrate --all',
    })
  const odd = names.find((name) => !/^[a-z0-9][-.a-z0-9]*$/i.test(name))
  if (odd !== undefined)
    throw new Refusal('usage', `${odd} is no name of a definition.`, { next: 'kubectl airunway migrate --help' })
}

const notMoved = (held: Readonly<Record<string, string>>): string[] => {
  const names = Object.keys(held)
  if (names.length === 0) return []
  const some = Object.entries(held).map(([name, version]) => `${name} (${version})`)
  return [
    `The upgrade has held the storage version of ${some.join(', ')}; it stays as it is until you ask for it: kubectl airunway migrate ${names.join(' ')}.`,
  ]
}

/** What the release that runs stores its objects in, where the upgrade to it has held something else. */
const heldStorage = async ({ client, recordNamespace }: ChangeContext): Promise<Record<string, string>> => {
  try {
    const run = upgradeInForce(await listRuns(client, recordNamespace))
    if (run?.state !== 'succeeded') return {}
    const plan = await planOf(client, recordNamespace, run.number)
    const moves = plan.steps.some(({ kind }) => kind === 'flip-storage')
    // One that was to move it and was ended before (resume --hold-storage) has held it too.
    const done = moves ? (await openRun(client, recordNamespace, run.number)).done() : new Set<string>()
    return (moves ? withStorageHeld(plan, done) : plan).heldStorage ?? {}
  } catch (error) {
    // Whoever may not read the records is told so by name, with all other rights that are missing.
    if (isForbidden(error)) return {}
    throw error
  }
}

/** One definition may be named in two ways. */
const byFullName = async (
  context: ChangeContext,
  storage: ScopeOptions['storage'],
): Promise<MigrationScope['storage']> => {
  const found: Record<string, string> = {}
  for (const [typed, version] of Object.entries(storage)) {
    const name = await fullName(context, typed)
    if (found[name] !== undefined) throw new Refusal('usage', `--storage names ${name} twice.`)
    found[name] = version
  }
  return found
}

/** The same for losses: one that names no definition would be told to be one that nobody has. */
export const lossesByFullName = async (
  context: ChangeContext,
  losses: readonly AcceptedLoss[],
): Promise<AcceptedLoss[]> => {
  const found: AcceptedLoss[] = []
  for (const loss of losses) {
    const definition = await fullName(context, loss.definition)
    if (found.some((each) => each.definition === definition && each.path === loss.path))
      throw new Refusal('usage', `--accept-loss names ${lossName(definition, loss.path)} twice.`)
    found.push({ ...loss, definition })
  }
  return found
}

/**
 * The name of the definition that a word means: `plural.group`, a plural, a kind or a short name. A name with a dot is whole:
 * no plural and no kind has one. Throws `usage` where none is meant, or more than one.
 */
const fullName = async ({ client, signal }: ChangeContext, typed: string): Promise<string> => {
  if (typed.includes('.')) return typed
  const found = await namesLike(client, typed, signal)
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  throw new Refusal(
    'usage',
    found.length === 0
      ? `There is no CustomResourceDefinition whose kind or plural is ${typed}.`
      : `${typed} is the kind or plural of ${found.length} definitions.`,
    {
      ...(found.length > 0 && { why: found.join(', ') }),
      next: found.length > 0 ? `kubectl airunway migrate ${only}` : 'kubectl get crd',
    },
  )
}

const namesLike = async (client: KubernetesClient, typed: string, signal: AbortSignal): Promise<string[]> => {
  const word = typed.toLowerCase()
  const found: string[] = []
  // Definitions come whole, some of them with half a megabyte of schemas.
  for await (const { items } of client.pages<CustomResourceDefinition>(definitions, { limit: 50, signal }))
    for (const { metadata, spec } of items) {
      const { plural, kind, singular = '', shortNames = [] } = spec.names
      if ([plural, kind.toLowerCase(), singular, ...shortNames].includes(word)) found.push(metadata.name)
    }
  return found
}
