/** The version of a provider operator, from the places its data name, best first. Pure. */
import type { OperatorVersionSource } from '../releases/data.types.ts'
import { parseImage } from '../releases/image-reference.ts'
import { readVersionText } from '../releases/versions.ts'
import type { IdentifiedDeployment } from './identify-deployments.ts'
import { replicasOf } from './identify-installs.ts'
import { withNote } from './identify-version.ts'
import type { InstalledOperator, KnownVersion } from './inventory.types.ts'

type IdentifiedOperator = Extract<IdentifiedDeployment, { kind: 'operator' }>

/** An operator as the inventory shows it. `crdNames` are the CRDs on the cluster; the version has no leading `v`. */
export function installedOperator(found: IdentifiedOperator, crdNames: Set<string>): InstalledOperator {
  const { row, flavour, deployment, container } = found
  const { name, namespace } = deployment.metadata
  return {
    name: row.name,
    deployment: { apiVersion: 'apps/v1', kind: 'Deployment', name, ...(namespace === undefined ? {} : { namespace }) },
    image: container?.image ?? '',
    version: operatorVersion(found),
    ...replicasOf(deployment),
    crds: row.crds.filter((crd) => crdNames.has(crd)),
    ...(flavour.managedBy === undefined ? {} : { managedBy: flavour.managedBy }),
  }
}

/** Goes through the flavour's sources until one names a version; otherwise says why the first one that is there does not. */
export function operatorVersion(found: IdentifiedOperator): KnownVersion {
  let unknown: KnownVersion | undefined
  for (const source of found.flavour.versionFrom) {
    const text = textOf(source, found)
    if (text === undefined) continue
    const result = readVersionText(text)
    const from = source.of === undefined ? source.evidence : `${source.evidence} ${source.of}`
    if ('version' in result) {
      const detail = withNote(`${from}: ${text}`, result.note)
      return { known: true, version: result.version, evidence: source.evidence, detail }
    }
    unknown ??= {
      known: false,
      why: `the ${source.evidence} ${result.why}`,
      detail: found.container?.image ?? `${from}: ${text}`,
    }
  }
  const detail = found.container?.image ?? 'no container of the operator was found'
  return unknown ?? { known: false, why: 'neither its image nor its labels name a version', detail }
}

function textOf(source: OperatorVersionSource, { deployment, container }: IdentifiedOperator): string | undefined {
  const labels = deployment.metadata.labels ?? {}
  switch (source.evidence) {
    case 'image tag':
      return container?.image === undefined ? undefined : parseImage(container.image)?.tag
    case 'label':
      return labels[source.of ?? '']
    case 'argument': {
      const prefix = source.of ?? ''
      const words = [...(container?.command ?? []), ...(container?.args ?? [])]
      return words.find((word) => word.startsWith(prefix))?.slice(prefix.length)
    }
    case 'chart label': {
      const prefix = `${source.of ?? ''}-`
      const chart = labels['helm.sh/chart']
      // Helm writes `+` as `_` in labels; what follows is a build, not the version.
      return chart?.startsWith(prefix) ? chart.slice(prefix.length).replace(/_.*$/, '') : undefined
    }
  }
}
