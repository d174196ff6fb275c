/**
 * Takes versions out of a CRD's spec, together with the conversion, while nothing is stored in them. It goes before the
 * webhook that serves the conversion: a dead conversion webhook makes every read of that version fail, and with it garbage
 * collection and the deletion of namespaces, which list through the preferred version.
 */
import { withDeprecation } from '../crds/versions.ts'
import { isConflict } from '../kubernetes/errors.ts'
import { definitionPath, readExact } from '../kubernetes/exact-json.ts'
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import { waitFor } from '../kubernetes/wait.ts'
import { canonicalJson } from '../plan/hash.ts'
import type { StepOf } from '../plan/plan.types.ts'
import { type StepContext, StepFailed, type StepHandler } from './step.types.ts'

const WITHDRAWN_SECONDS = 60

export const withdrawVersion: StepHandler<'withdraw-version'> = async (step, { client, signal, report }) => {
  const reference = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: step.definition }
  const leaving = new Set(step.versions)
  const after = await waitFor(
    async () => {
      // It is written back as a whole, with the defaults and limits in its schemas. Where it is gone, `get` says so.
      const live =
        (await readExact<CustomResourceDefinition>(client, definitionPath(step.definition), signal)) ??
        (await client.get<CustomResourceDefinition>(reference, signal))
      refuseIfStored(live, leaving)
      const versions = remaining(live, step)
      const hasConversion = step.conversion === 'None' && live.spec.conversion?.strategy === 'Webhook'
      if (canonicalJson(versions) === canonicalJson(live.spec.versions) && !hasConversion)
        return { done: true, value: live }
      const { conversion, ...spec } = live.spec
      try {
        // A whole object on the resourceVersion that was read: an apply could not remove a caBundle that the controller's
        // certificate rotator owns, and strategy None with a webhook left over is refused.
        await client.replace<CustomResourceDefinition>(
          {
            ...live,
            spec: {
              ...spec,
              versions,
              conversion: step.conversion === 'None' ? { strategy: 'None' } : (conversion ?? { strategy: 'None' }),
            },
          },
          { signal },
        )
      } catch (error) {
        if (!isConflict(error)) throw error
      }
      return { done: false, seen: 'written, read again to be sure' }
    },
    {
      what: `Withdrawing ${step.versions.join(', ')}`,
      timeoutSeconds: WITHDRAWN_SECONDS,
      intervalMs: 50,
      signal,
      onChange: report,
    },
  )
  await notServed(step.versions, after, { client, signal })
  return { versions: after.spec.versions.map(({ name }) => name), storedVersions: after.status?.storedVersions ?? [] }
}

/** The versions that stay, and what they say of their deprecation. */
const remaining = (
  { spec }: CustomResourceDefinition,
  { versions, deprecations = {} }: StepOf<'withdraw-version'>,
): CustomResourceDefinition['spec']['versions'] =>
  spec.versions
    .filter(({ name }) => !versions.includes(name))
    .map((version) => {
      const deprecation = deprecations[version.name]
      return deprecation === undefined ? version : withDeprecation(version, deprecation)
    })

/** `status.storedVersions` grows by itself and never shrinks by itself: what is not in it was never stored. */
const refuseIfStored = (live: CustomResourceDefinition, leaving: Set<string>): void => {
  const stored = (live.status?.storedVersions ?? []).filter((name) => leaving.has(name))
  const storage = live.spec.versions.find((version) => version.storage)?.name
  if (stored.length > 0 || (storage !== undefined && leaving.has(storage)))
    throw new StepFailed(
      `${live.metadata.name} has objects stored in ${[...stored, storage].join(', ')}: taking that version out would make them unreadable.`,
    )
}

/** Discovery follows a moment later; until then clients would still be sent to the version that is gone. */
const notServed = async (
  versions: string[],
  definition: CustomResourceDefinition,
  { client, signal }: Pick<StepContext, 'client' | 'signal'>,
): Promise<void> => {
  for (const version of versions)
    await waitFor(
      async () => {
        const path = `/apis/${definition.spec.group}/${version}/${definition.spec.names.plural}?limit=1`
        const { status } = await client.raw({ method: 'GET', path, signal })
        return status === 404 ? { done: true, value: undefined } : { done: false, seen: `${version} still answers` }
      },
      { what: `Unserving ${version}`, timeoutSeconds: WITHDRAWN_SECONDS, intervalMs: 100, signal },
    )
}
