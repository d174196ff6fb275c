import { join } from 'node:path'
import { lt } from 'semver'
import type { KubernetesClient } from '../../kubernetes/client.types.ts'
import type { AnyObject, CustomResourceDefinition } from '../../kubernetes/objects.ts'
import { established, rolledOut } from './install.ts'
import { kubectlApply, readManifest } from './kubectl-apply.ts'

interface OperatorSample {
  name: string
  /** version the sample file is written for */
  version: string
  /** release that brought the second API version; before it the CRDs have v1alpha1 only */
  secondVersionSince?: string
}

const samples: OperatorSample[] = [
  { name: 'kaito', version: '0.4.6', secondVersionSince: '0.4.5' },
  { name: 'kuberay', version: '1.3.0', secondVersionSince: '1.0.0' },
  { name: 'dynamo', version: '1.1.1' },
  { name: 'gpu-operator', version: '25.10.1' },
]

/** Installs operators in the given versions (without `v`); an operator without a version stays away. */
export async function installOperators(
  client: KubernetesClient,
  releases: string,
  versions: Record<string, string>,
): Promise<void> {
  const deployments: AnyObject[] = []
  for (const sample of samples) {
    const version = versions[sample.name]
    if (version === undefined) continue
    const path = join(releases, '..', 'operators', `${sample.name}.yaml`)
    const objects = await readManifest(path, (text) => text.replaceAll(sample.version, version))
    for (const object of objects.map((one) => ofVersion(one, sample, version))) {
      await kubectlApply(client, object)
      if (object.kind === 'CustomResourceDefinition') await established(client, object.metadata.name)
      if (object.kind === 'Deployment') deployments.push(object)
    }
  }
  await Promise.all(deployments.map((object) => rolledOut(client, object)))
}

/** The object as an operator's version brings it: old ones have CRDs with v1alpha1 only. Pure. */
export function ofVersion(object: AnyObject, { secondVersionSince }: OperatorSample, version: string): AnyObject {
  if (object.kind !== 'CustomResourceDefinition' || !secondVersionSince || !lt(version, secondVersionSince))
    return object
  const { spec } = object as unknown as CustomResourceDefinition
  const versions = spec.versions.filter(({ name }) => name === 'v1alpha1').map((one) => ({ ...one, storage: true }))
  return { ...object, spec: { ...spec, versions } }
}
