/** Steps that every way of an upgrade has. Pure. */
import type { AnyObject, CustomResourceDefinition, ObjectReference } from '../kubernetes/objects.ts'
import type { DraftStep } from '../plan/numbering.ts'
import type { Plan, WorkloadTarget } from '../plan/plan.types.ts'
import { referenceOf } from '../plan/reference.ts'
import type { ObjectRole, Release } from '../releases/release.types.ts'
import type { DefinitionHop } from './definition-hop.ts'
import { certificateOf, objectsOf } from './release-parts.ts'
import type { ShimHop } from './shims.ts'
import type { Ways } from './tier.ts'

/** Back-up, baseline, and what has to be there before the controller starts. */
export const opening = (
  release: Release,
  workloads: WorkloadTarget,
  definitions: DefinitionHop[],
  shims: ShimHop[],
  access: AnyObject[] = objectsOf(release, 'namespace', 'access'),
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
  ...applySteps('Update access rights', access),
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
export const withdrawSteps = (definitions: DefinitionHop[]): DraftStep[] =>
  definitions
    .filter(({ leaving, endsConversion }) => leaving.length > 0 || endsConversion)
    .map(
      ({ wanted, leaving, endsConversion }): DraftStep => ({
        kind: 'withdraw-version',
        title: leaving.length > 0 ? `Withdraw ${leaving.join(', ')}` : 'End the conversion',
        definition: wanted.metadata.name,
        versions: leaving,
        ...(endsConversion ? { conversion: 'None' } : {}),
      }),
    )

/** The release's CRDs, with their storage version held at what is stored now. */
export const definitionSteps = (release: Release, definitions: DefinitionHop[]): DraftStep[] =>
  applySteps(
    'Update CRDs, storage held',
    definitions.map(({ wanted }) => wanted),
    certificateOf(release),
  )

/** One line of the plan for each Deployment that moves. */
export const componentsOf = (shims: ShimHop[], ways: Ways): Plan['components'] => [
  { component: 'the controller', tier: ways.controller.tier, why: ways.controller.why },
  ...shims.flatMap(({ led }, index) => {
    const way = ways.shims[index]
    return way === undefined ? [] : [{ component: led.title, tier: way.tier, why: way.why }]
  }),
]
