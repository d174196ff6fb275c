/** The API version that a shim writes must be served by the operator's CRD. */
import type { CrdState } from '../../installation/inventory.types.ts'
import type { CheckContext, ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { inUse, operatorTitle, productInQuestion, providerMinimums } from '../subject.ts'
import { couldRead } from '../unread.ts'

export const check: ClusterCheck = {
  ids: ['operator-crd-version-not-served', 'crd-missing'],
  group: 'operators',
  title: 'the operators serve the API versions that the shims write',
  reads: ['deployments', 'crds', 'workloads'],
  needs: 'cluster',
  run(context) {
    const { inventory } = context
    if (!couldRead(inventory, 'crds')) return []
    return providerMinimums(context)
      .filter(({ provider }) => inUse(inventory, provider))
      .flatMap(({ provider, crdApiVersion }) => judge(provider, crdApiVersion, context))
  },
}

function judge(provider: string, apiVersion: string, context: CheckContext): Finding[] {
  const [group, version] = apiVersion.split('/')
  // llm-d and the like write Deployments: no CRD is involved
  if (!group?.includes('.') || !version) return []
  const kind = kindOf(provider, context)
  const crds = context.inventory.crds.filter((crd) => crd.group === group && (kind === undefined || crd.kind === kind))
  const [first] = crds
  if (!first) return [missingCrd(provider, apiVersion, kind, context)]
  if (crds.some((crd) => crd.versions.some(({ name, served }) => name === version && served))) return []
  return [notServed(provider, apiVersion, first)]
}

/** The kind that the shim writes, as the product's data names it. */
function kindOf(provider: string, context: CheckContext): string | undefined {
  return productInQuestion(context)?.shims.find(({ name }) => name === provider)?.resource.kind
}

function notServed(provider: string, apiVersion: string, crd: CrdState): Finding {
  const served = crd.versions.filter((version) => version.served).map(({ name }) => name)
  const title = operatorTitle(provider)
  return finding({
    id: 'operator-crd-version-not-served',
    severity: 'error',
    title: `${crd.name} does not serve ${apiVersion}, which the ${provider} shim writes`,
    object: { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: crd.name },
    evidence: { provider, wanted: apiVersion, served },
    cause: `The CRD serves only ${served.join(', ') || 'nothing'}: every write of the shim ends in "no matches for kind". Helm installs CRDs once and does not upgrade those in a chart's crds/ folder.`,
    fix: {
      text: `Upgrade ${title} and its CRDs to a version that serves ${apiVersion}.`,
      command: `kubectl get crd ${crd.name} -o jsonpath='{.spec.versions[*].name}'`,
    },
  })
}

function missingCrd(provider: string, apiVersion: string, kind: string | undefined, context: CheckContext): Finding {
  const present = context.inventory.operators.some(({ name }) => name === provider)
  return finding({
    id: 'crd-missing',
    severity: present ? 'error' : 'warning',
    title: `the CRD of ${apiVersion} ${kind ?? ''} is missing`.replace('  ', ' '),
    evidence: { provider, wanted: apiVersion, kind: kind ?? 'any' },
    cause: `The ${provider} shim writes ${apiVersion}, and no CRD of that group is on the cluster${present ? ' although the operator runs' : ''}.`,
    fix: { text: `Install the CRDs that belong to ${operatorTitle(provider)}.` },
  })
}
