/** What the checks are about: which version, which product, which providers. */
import type { Inventory, Workload } from '../installation/inventory.types.ts'
import { type PickedCompatibility, pickCompatibility } from '../releases/compatibility.ts'
import type { Product, ProviderMinimum } from '../releases/release.types.ts'
import type { CheckContext } from './check.types.ts'

/** The version to judge by: the release's, else the one that runs; undefined where neither is known. */
export function versionInQuestion(context: CheckContext): string | undefined {
  return context.release?.version ?? runningVersion(context.inventory)
}

/**
 * The version of the only installation, with a leading `v` as releases have it.
 * Undefined where there is none, more than one, or its version is not known.
 */
export function runningVersion(inventory: Inventory): string | undefined {
  const [install, second] = inventory.installs
  return install && !second && install.version.known ? `v${install.version.version.replace(/^v/, '')}` : undefined
}

/** Product of the release, else of the first installation. */
export function productInQuestion(context: CheckContext): Product | undefined {
  return context.release?.product ?? context.inventory.installs[0]?.product
}

/** The matrix row for the version in question and each provider's minimum; no row where the version is not known. */
export function compatibilityOf(context: CheckContext): PickedCompatibility {
  return pickCompatibility(versionInQuestion(context) ?? '', context.compatibility)
}

/** Each provider's minimum, sorted by provider. */
export function providerMinimums(context: CheckContext): (ProviderMinimum & { source: string })[] {
  return compatibilityOf(context)
    .providers.map(({ minimum, source }) => ({ ...minimum, source }))
    .toSorted((a, b) => (a.provider < b.provider ? -1 : 1))
}

/** ModelDeployments that run on a provider. */
export function workloadsOf(inventory: Inventory, provider: string): Workload[] {
  return inventory.workloads.filter((workload) => workload.provider === provider)
}

/** A provider is in use where its shim is installed or a ModelDeployment names it. */
export function inUse(inventory: Inventory, provider: string): boolean {
  return inventory.shims.some(({ name }) => name === provider) || workloadsOf(inventory, provider).length > 0
}

/** Names as people write them; a provider that is not listed keeps its own. */
export function operatorTitle(name: string): string {
  const titles = new Map([
    ['kaito', 'KAITO'],
    ['dynamo', 'Dynamo'],
    ['kuberay', 'KubeRay'],
    ['gpu-operator', 'NVIDIA GPU operator'],
  ])
  return titles.get(name) ?? name
}

/** The very image of the release runs: there is nothing to go to. */
export function runsAlready({ inventory, release }: CheckContext): boolean {
  const [install] = inventory.installs
  return (
    release !== undefined &&
    runningVersion(inventory) === release.version &&
    install?.image === release.controller.pinnedImage
  )
}

/** Providers for which the GPU operator is required and on which ModelDeployments ask for GPUs. */
export function gpuProviders(context: CheckContext): string[] {
  return providerMinimums(context)
    .filter(({ gpuOperator }) => gpuOperator === true)
    .map(({ provider }) => provider)
    .filter((provider) => workloadsOf(context.inventory, provider).some(({ gpu }) => gpu))
}
