/**
 * Objects that nobody can read: they are stored in a version that has left the spec, because storedVersions was trimmed before
 * all of them were rewritten. The API server reads every version that is in spec.versions, served or not: the version comes
 * back, the objects are migrated, and then it may go again. Nothing is lost meanwhile, and nothing of it happens by itself.
 */
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import { isConflict } from '../kubernetes/errors.ts'
import { definitionPath, readExact } from '../kubernetes/exact-json.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { definitionKind, realWait, type Wait } from './definition-watch.ts'

/** What would make the objects readable again. */
export interface Repair {
  definition: string
  uid: string
  /** versions that the spec gets back, not served and not for storage */
  bringBack: string[]
  /** versions that storedVersions gets back, so that nobody can take them out of the spec before the objects are moved */
  record: string[]
  /** what somebody has to know who consents */
  words: string[]
}

/** The repair for objects in these versions; undefined where nothing is amiss. */
export function repairOf(crd: CustomResourceDefinition, versions: readonly string[]): Repair | undefined {
  const { name, uid = '' } = crd.metadata
  const present = new Set(crd.spec.versions.map((version) => version.name))
  const stored = crd.status?.storedVersions ?? []
  // Those that status names and the spec lacks as well: without them the API server refuses any change of the spec.
  const wanted = [...new Set([...versions, ...stored.filter((version) => !present.has(version))])]
  const bringBack = wanted.filter((version) => !present.has(version))
  const record = wanted.filter((version) => !stored.includes(version))
  if (bringBack.length === 0 && record.length === 0) return undefined
  const named = bringBack.join(', ')
  const words = [
    `${named || record.join(', ')} comes back into ${name}: served, not for storage, with a schema that keeps every field`,
    `status.storedVersions names it until all objects are rewritten; then it may be taken out of the spec again`,
  ]
  if (crd.spec.conversion?.strategy === 'Webhook') {
    words.push('the conversion webhook is asked to convert from it, and fails where it does not know it any more')
  }
  return { definition: name, uid, bringBack, record, words }
}

/** The definition with the versions in its spec again. The other versions stay as they are. */
export function withVersionsBack(crd: CustomResourceDefinition, versions: readonly string[]): CustomResourceDefinition {
  const absent = versions.filter((name) => !crd.spec.versions.some((version) => version.name === name))
  const back = absent.map((name) => ({
    name,
    // What only that version has can be seen in it alone, and has to be seen before the storage version drops it.
    served: true,
    storage: false,
    // Objects are pruned by the schema of the version that they are stored in as they are read. At the root alone it would
    // keep nothing below fields that have a schema, so there are none: what is kept is for the storage version to say.
    schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
  }))
  return { ...crd, spec: { ...crd.spec, versions: [...crd.spec.versions, ...back] } }
}

export interface RepairOptions {
  signal?: AbortSignal
  wait?: Wait
  before?: () => void | Promise<void>
}

const attempts = 10

/**
 * Carries out the repair, for a caller who has consent. storedVersions first: should this process die in between, status
 * says by itself that a version is missing, and everybody is kept from changing the spec without it.
 * Gives the definition as it is then; throws Error where it is not the same one any more.
 */
export async function bringVersionsBack(
  client: KubernetesClient,
  repair: Repair,
  { signal, wait = realWait, before }: RepairOptions = {},
): Promise<CustomResourceDefinition> {
  const reference = { ...definitionKind, name: repair.definition }
  const until = signal ? { signal } : {}
  for (let attempt = 1; ; attempt++) {
    const live = await readExact<CustomResourceDefinition>(client, definitionPath(repair.definition), signal)
    if (live?.metadata.uid !== repair.uid) throw new Error(`${repair.definition} was deleted and made again`)
    const stored = live.status?.storedVersions ?? []
    const missing = [...repair.bringBack, ...repair.record].filter((version) => !stored.includes(version))
    const back = withVersionsBack(live, repair.bringBack)
    if (missing.length === 0 && back.spec.versions.length === live.spec.versions.length) return live
    await before?.()
    try {
      if (missing.length > 0) {
        const storedVersions = [...new Set([...stored, ...missing])]
        const body = { metadata: { resourceVersion: live.metadata.resourceVersion }, status: { storedVersions } }
        await client.patch(reference, body, { type: 'merge', subresource: 'status', ...until })
      } else {
        await client.replace(back, until)
      }
      continue
    } catch (error) {
      if (!isConflict(error) || attempt >= attempts) throw error
    }
    await wait(100 * attempt, signal)
  }
}
