/** Steps that every way of an upgrade has. Pure. */
import type { AnyObject, CustomResourceDefinition, ObjectReference } from '../kubernetes/objects.ts'
import type { DraftStep } from '../plan/numbering.ts'
import type { WorkloadTarget } from '../plan/plan.types.ts'
import { referenceOf } from '../plan/reference.ts'
import { leaseStep, reconcileStep, rollOutStep } from '../plan/workloads.ts'
import type { ObjectRole, Release } from '../releases/release.types.ts'
import type { DefinitionHop } from './definition-hop.ts'
import { certificateOf, objectsOf } from './release-parts.ts'
import type { ShimHop } from './shims.ts'

/** Back-up, baseline, and what has to be there before the controller starts. */
export const opening = (
  release: Release,
  workloads: WorkloadTarget,
  definitions: DefinitionHop[],
  shims: ShimHop[],
): DraftStep[] => [
  {
    kind: 'back-up',
    title: 'Back up',
    objects: [...objectsOf(release, ...ALL_ROLES), ...shims.flatMap(({ objects }) => objects)].map(referenceOf),
    collections: definitions.map(({ wanted, readable }) => {
      const { spec } = wanted as unknown as CustomResourceDefinition
      return { apiVersion: `${spec.group}/${readable}`, kind: spec.names.kind }
    }),
  },
  { kind: 'take-baseline', title: 'Note the workloads', workloads },
  ...applySteps('Update access rights', objectsOf(release, 'namespace', 'access')),
  ...applySteps('Update Services and Secret', objectsOf(release, 'service', 'webhookSecret')),
]

const ALL_ROLES: ObjectRole[] = [
  'namespace',
  'crd',
  'access',
  'webhookSecret',
  'service',
  'controller',
  'webhookConfiguration',
  'other',
]

/** `keep` until the whole plan is told otherwise; `certificate` where objects name a webhook. */
export const applySteps = (title: string, objects: AnyObject[], certificate?: ObjectReference): DraftStep[] =>
  objects.length === 0
    ? []
    : [{ kind: 'apply', title, objects, conflicts: 'keep', ...(certificate && { certificate }) }]

/** A version or a conversion that ends goes before the controller that served it; nothing is stored in such a version. */
export const definitionSteps = (release: Release, definitions: DefinitionHop[]): DraftStep[] => {
  const ending = definitions.filter(({ leaving, endsConversion }) => leaving.length > 0 || endsConversion)
  return [
    ...ending.map(
      ({ wanted, leaving, endsConversion }): DraftStep => ({
        kind: 'withdraw-version',
        title: leaving.length > 0 ? `Withdraw ${leaving.join(', ')}` : 'End the conversion',
        definition: wanted.metadata.name,
        versions: leaving,
        ...(endsConversion ? { conversion: 'None' } : {}),
      }),
    ),
    ...applySteps(
      'Update CRDs, storage held',
      definitions.map(({ wanted }) => wanted),
      certificateOf(release),
    ),
  ]
}

/** A shim's Deployment updated where it is, with its own proofs. */
export const shimSteps = ({ name, objects, led }: ShimHop, workloads: WorkloadTarget): DraftStep[] => [
  ...applySteps(`Update the ${name} shim`, objects),
  rollOutStep(led),
  leaseStep(`Hand over the Lease of ${name}`, [led]),
  reconcileStep(workloads, name),
]
