/** The provider operators' versions against the provider minimums and the matrix row. */
import type { InstalledOperator } from '../../installation/inventory.types.ts'
import { fitMinimum, fitRange, type RangeFit } from '../../releases/compatibility.ts'
import type { CheckContext, ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { acceptCommand } from '../own-command.ts'
import { compatibilityOf, inUse, operatorTitle } from '../subject.ts'

/** What one source wants of one operator. */
interface Demand {
  wanted: string
  source: string
  fit: RangeFit
}

export const check: ClusterCheck = {
  ids: ['operator-below-minimum', 'operator-newer-than-tested', 'operator-version-unknown'],
  group: 'operators',
  title: 'provider operators have versions that the controller was tested with',
  reads: ['deployments', 'workloads'],
  needs: 'cluster',
  run: (context) => context.inventory.operators.flatMap((operator) => judge(operator, context)),
}

function judge(operator: InstalledOperator, context: CheckContext): Finding[] {
  const demands = demandsOn(operator, context)
  if (demands.length === 0) return []
  const used = isUsed(operator, context)
  if (!operator.version.known) return used ? [unknownVersion(operator, operator.version, demands)] : []
  const below = demands.find(({ fit }) => fit === 'below' || fit === 'outside')
  if (below) return [belowMinimum(operator, operator.version.version, below, used)]
  const above = demands.find(({ fit }) => fit === 'above')
  return above ? [newerThanTested(operator, operator.version.version, above, context)] : []
}

/** The GPU operator has no shim: whoever asks for GPUs uses it. */
function isUsed({ name }: InstalledOperator, { inventory }: CheckContext): boolean {
  return name === 'gpu-operator' ? inventory.workloads.some(({ gpu }) => gpu) : inUse(inventory, name)
}

function demandsOn(operator: InstalledOperator, context: CheckContext): Demand[] {
  const installed = operator.version.known ? operator.version.version : ''
  const { row, providers } = compatibilityOf(context)
  const minimums = providers
    .filter(({ minimum }) => minimum.provider === operator.name)
    .map(({ minimum, source }) => ({
      wanted: `${minimum.minimum} or later`,
      source,
      fit: fitMinimum(installed, minimum.minimum),
    }))
  const range = row?.row.operators?.[operator.name]
  if (!row || range === undefined) return minimums
  return [...minimums, { wanted: range, source: row.source, fit: fitRange(installed, range) }]
}

function belowMinimum(operator: InstalledOperator, installed: string, demand: Demand, used: boolean): Finding {
  const title = operatorTitle(operator.name)
  return finding({
    id: 'operator-below-minimum',
    severity: used ? 'error' : 'warning',
    title: `${title} ${installed} ${demand.fit === 'below' ? 'is older than needed' : 'is outside what is supported'} (${demand.wanted})`,
    object: operator.deployment,
    evidence: { operator: operator.name, installed, wanted: demand.wanted, source: demand.source, used },
    cause: `${demand.source} asks for ${title} ${demand.wanted}.${usage(used)} An older operator does not serve the API that the shim writes, or drops fields of it.`,
    fix: upgradeText(operator, demand.wanted),
  })
}

function newerThanTested(
  operator: InstalledOperator,
  installed: string,
  demand: Demand,
  context: CheckContext,
): Finding {
  const used = isUsed(operator, context)
  const title = operatorTitle(operator.name)
  return finding({
    id: 'operator-newer-than-tested',
    severity: used ? 'warning' : 'info',
    title: `${title} ${installed} is newer than tested (${demand.wanted})`,
    object: operator.deployment,
    evidence: { operator: operator.name, installed, tested: demand.wanted, source: demand.source, used },
    cause: `${demand.source} lists ${title} ${demand.wanted}.${usage(used)} Nothing is known to break, and nothing was tested.`,
    fix: {
      text: 'Try this pair on a test cluster, then accept the finding with the reason.',
      command: acceptCommand(context, 'operator-newer-than-tested', 'tried on a test cluster'),
    },
  })
}

function unknownVersion(
  operator: InstalledOperator,
  version: { why: string; detail: string },
  demands: readonly Demand[],
): Finding {
  const title = operatorTitle(operator.name)
  const wanted = demands.map((demand) => demand.wanted).join(', ')
  return finding({
    id: 'operator-version-unknown',
    severity: 'warning',
    title: `the version of ${title} is not known`,
    object: operator.deployment,
    evidence: { operator: operator.name, image: operator.image, why: version.why, wanted },
    cause: `${version.why}. ${version.detail ? `${version.detail}. ` : ''}It should be ${wanted}, and that cannot be verified.`,
    fix: {
      text: `Run ${title} by an image tag that names its version, or accept the finding once you have looked it up.`,
    },
  })
}

function usage(used: boolean): string {
  return used ? '' : ' Nothing here uses it yet.'
}

function upgradeText(operator: InstalledOperator, wanted: string): { text: string } {
  const title = operatorTitle(operator.name)
  return operator.managedBy
    ? {
        text: `${title} is managed by ${operator.managedBy} here and cannot be upgraded by hand: have ${operator.managedBy} bring it to ${wanted}.`,
      }
    : {
        text: `Upgrade ${title} to ${wanted} with the tool that installed it, together with its CRDs, before anything else.`,
      }
}
