/** Opens what was typed, and pairs the definitions of the two sides by name. */
import type { ConnectionFlags, KubernetesClient } from '../kubernetes/client.types.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { ReadDefinition } from '../releases/definitions.ts'
import { Refusal } from '../report/refusal.ts'
import { type DefinitionSource, isWholeCluster, readSource, type SourceAccess } from './crd-sources.ts'

/** What all commands about definitions are asked with. */
export interface CrdRequest {
  /** sources as typed */
  before: string
  after: string
  connection: ConnectionFlags
  recursive: boolean
  releases?: string | undefined
  stdin: AsyncIterable<Uint8Array>
  /** told what was left out of the comparison */
  note: (text: string) => void
  signal?: AbortSignal | undefined
}

/** A definition that at least one side has. */
export interface DefinitionPair {
  name: string
  before?: ReadDefinition
  after?: ReadDefinition
}

export interface Opened {
  pairs: DefinitionPair[]
  access: SourceAccess
  /** connects when it is called first */
  client: () => Promise<KubernetesClient>
}

/** Reads both sides, gives them to `use`, and closes the connection if one was made. Throws as `readSource` does. */
export async function withPairs<Some>(request: CrdRequest, use: (opened: Opened) => Promise<Some>): Promise<Some> {
  let connecting: Promise<KubernetesClient> | undefined
  const client = async (): Promise<KubernetesClient> => {
    connecting ??= import('../kubernetes/connect.ts').then(({ connect }) => connect(request.connection))
    return connecting
  }
  const { stdin, recursive, releases, signal } = request
  const access: SourceAccess = { client, stdin, recursive, releases, signal }
  try {
    return await use({ pairs: await readPairs(request, access), access, client })
  } finally {
    await connecting?.then(
      (open) => open.close(),
      () => {},
    )
  }
}

async function readPairs(request: CrdRequest, access: SourceAccess): Promise<DefinitionPair[]> {
  const { before, after } = request
  if (before === '-' && after === '-') throw new Refusal('usage', 'Only one side can be standard input.')
  const [old, now] = await readSides(before, after, access)
  for (const { source, passedOver } of [old, now]) {
    if (passedOver > 0) request.note(`${source}: ${passedOver} documents are no CustomResourceDefinitions`)
  }
  const byName = (side: DefinitionSource) =>
    new Map(side.definitions.map((entry) => [entry.definition.metadata.name, entry]))
  const [olds, news] = [byName(old), byName(now)]
  const names = [...new Set([...olds.keys(), ...news.keys()])].toSorted()
  return names.map((name) => {
    const [one, other] = [olds.get(name), news.get(name)]
    return { name, ...(one && { before: one }), ...(other && { after: other }) }
  })
}

/** A whole cluster has definitions of everybody: those of the other side's API groups are meant. */
async function readSides(
  before: string,
  after: string,
  access: SourceAccess,
): Promise<[before: DefinitionSource, after: DefinitionSource]> {
  if (isWholeCluster(before) && !isWholeCluster(after)) {
    const now = await readSource(after, access)
    return [await readSource(before, access, groupsOf(now)), now]
  }
  const old = await readSource(before, access)
  return [
    old,
    await readSource(after, access, isWholeCluster(after) && !isWholeCluster(before) ? groupsOf(old) : undefined),
  ]
}

const groupsOf = ({ definitions }: DefinitionSource): Set<string> =>
  new Set(definitions.map(({ definition }) => definition.spec.group))

/** Which sides have it, and where. */
export function placesOf({ name, before, after }: DefinitionPair) {
  const presence = before === undefined ? 'added' : after === undefined ? 'removed' : 'both'
  return {
    name,
    presence,
    ...(before && { before: before.file }),
    ...(after && { after: after.file }),
  } as const
}

/** The definition that a pair is about: the new one where there is one. */
export function subjectOf({ before, after }: DefinitionPair): CustomResourceDefinition {
  const found = after ?? before
  if (found === undefined) throw new Error('a pair has at least one side')
  return found.definition
}
