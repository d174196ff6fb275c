/**
 * Makes requests fail that a stopped process of a run may still send. Each carries the resourceVersion that the process has
 * read, so it lands as long as nobody has written the object since. Whoever goes on with the run writes the same again;
 * whoever goes back from it may find nothing to write there, so each such object is written twice: marked, and unmarked.
 */
import { type OpenJournal, readKept } from '../journal/records.ts'
import { isConflict, isNotFound } from '../kubernetes/errors.ts'
import type { KubernetesObject, ObjectReference } from '../kubernetes/objects.ts'
import type { Plan } from '../plan/plan.types.ts'
import { type WrittenBy, writtenBy } from '../plan/written-by.ts'
import type { ChangeContext } from './run-plan.ts'

/** Not an annotation: those of a Deployment are copied to its ReplicaSets, and stay there. */
const MARK = 'cli.airunway.ai/outdated-by'
const ATTEMPTS = 8

type Context = Pick<ChangeContext, 'client' | 'recordNamespace' | 'signal'>

/**
 * Only the steps that were begun and not ended can have a request left: each write of the journal is awaited before the next
 * step. Throws ApiError where an object may not be written: then going back is not safe.
 */
export const outdateRequests = async (context: Context, undone: OpenJournal, by: number): Promise<void> => {
  const plan = await readKept<Plan>(context.client, context.recordNamespace, undone.summary.number, 'plan')
  const begun = new Set(undone.entries.map(({ step }) => step))
  const done = undone.done()
  for (const step of plan?.steps ?? []) {
    if (!begun.has(step.id) || done.has(step.id)) continue
    for await (const reference of references(writtenBy(step), context)) await touch(context, reference, String(by))
  }
}

async function* references({ objects, children, collection }: WrittenBy, context: Context) {
  yield* objects
  if (collection !== undefined) yield* members(collection, () => true, context)
  for (const kind of children?.kinds ?? [])
    yield* members(
      kind,
      ({ metadata }) =>
        metadata.ownerReferences?.some(
          (owner) => owner.kind === children?.owner.kind && children.owner.from.includes(owner.apiVersion),
        ) === true,
      context,
    )
}

async function* members(
  { apiVersion, kind }: { apiVersion: string; kind: string },
  wanted: (object: KubernetesObject) => boolean,
  { client, signal }: Context,
): AsyncGenerator<ObjectReference> {
  if ((await client.findResource(apiVersion, kind)) === undefined) return
  for await (const page of client.metadataPages({ apiVersion, kind }, { signal }))
    for (const object of page.items.filter(wanted)) {
      const { name, namespace } = object.metadata
      yield { apiVersion, kind, name, ...(namespace !== undefined && { namespace }) }
    }
}

/** Nothing of the object stays changed. One that is gone has no version that a request could match. */
const touch = async (context: Context, reference: ObjectReference, by: string): Promise<void> => {
  for (const value of [by, null])
    try {
      await mark(context, reference, value)
    } catch (error) {
      if (isNotFound(error)) return
      throw error
    }
}

const mark = async ({ client, signal }: Context, reference: ObjectReference, value: string | null): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    const { uid, resourceVersion } = (await client.get(reference, signal)).metadata
    const metadata = { uid, resourceVersion, labels: { [MARK]: value } }
    try {
      await client.patch(reference, { metadata }, { type: 'merge', signal })
      return
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error
    }
  }
}
