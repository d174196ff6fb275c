/** Every kind of step and who carries it out. A new kind is one file and one line here. */
import type { Step, StepKind } from '../plan/plan.types.ts'
import { apply } from './apply.ts'
import { awaitAdmission } from './await-admission.ts'
import { awaitLease } from './await-lease.ts'
import { awaitReconcile } from './await-reconcile.ts'
import { backUp } from './back-up.ts'
import { compareWithBaseline, noteBaseline } from './baseline.ts'
import { checkMigration } from './check-migration.ts'
import { deleteObjects } from './delete.ts'
import { flipStorage } from './flip-storage.ts'
import { migrate } from './migrate.ts'
import { moveOwners } from './move-owners.ts'
import { restore } from './restore.ts'
import { rewrite } from './rewrite.ts'
import { rollOut } from './roll-out.ts'
import { route } from './route.ts'
import { scale } from './scale.ts'
import { standBy } from './stand-by.ts'
import type { Evidence, StepContext, StepHandler } from './step.types.ts'
import { withdrawVersion } from './withdraw-version.ts'

const HANDLERS: { [K in StepKind]: StepHandler<K> } = {
  'back-up': backUp,
  'take-baseline': noteBaseline,
  apply,
  'move-owners': moveOwners,
  'withdraw-version': withdrawVersion,
  'roll-out': rollOut,
  'await-lease': awaitLease,
  'await-admission': awaitAdmission,
  'await-reconcile': awaitReconcile,
  delete: deleteObjects,
  'stand-by': standBy,
  route,
  scale,
  rewrite,
  restore,
  'check-migration': checkMigration,
  'flip-storage': flipStorage,
  migrate,
  'compare-baseline': compareWithBaseline,
}

/** Carries a step out, whole: act, then verify. */
export const carryOut = async (step: Step, context: StepContext): Promise<Evidence> =>
  // The table's type pairs each kind with its handler; TypeScript cannot follow that through an index.
  (HANDLERS[step.kind] as StepHandler<StepKind>)(step, context)
