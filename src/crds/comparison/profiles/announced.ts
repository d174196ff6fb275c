/** Whether those who use a version have been warned, and have a way out. */
import type { CustomResourceDefinition } from '../../../kubernetes/objects.ts'
import { strategyOf } from '../rules/conversion.ts'

/** Was the version deprecated before, so that every request was answered with a warning, and does a webhook convert from it now? */
export function isAnnounced(
  version: string,
  { before, after }: { before: CustomResourceDefinition; after: CustomResourceDefinition },
): boolean {
  const deprecated = before.spec.versions.some(({ name, deprecated: flag }) => name === version && flag === true)
  return deprecated && strategyOf(after) === 'Webhook'
}
