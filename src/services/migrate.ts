/** The verb `migrate`. All else is loaded by it, once V8 has been told to keep the heap small. */
import { keepMemorySmall } from '../migration/pass-memory.ts'
import type { MigrateOptions } from './migrate-definitions.ts'
import type { ChangeRequest } from './run-plan.ts'
import type { ChangeResult } from './run-report.types.ts'

/** Throws what `migrateDefinitions` throws. */
export const migrate = async (request: ChangeRequest, options: MigrateOptions): Promise<ChangeResult> => {
  keepMemorySmall()
  const { migrateDefinitions } = await import('./migrate-definitions.ts')
  return migrateDefinitions(request, options)
}
