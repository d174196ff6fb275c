/** What runs, out of the inventory. Pure. */
import type { Install, InstalledShim, Inventory, KnownVersion } from '../installation/inventory.types.ts'
import type { Plan } from '../plan/plan.types.ts'
import type { ComponentStatus } from './status.types.ts'

/** Controllers first, then shims; `plan` is that of the newest run, which tells by which tier each was moved. */
export const componentsOf = (inventory: Inventory, plan: Plan | undefined): ComponentStatus[] => [
  ...inventory.installs.map((install) => ({ ...controllerOf(install), ...tierOf(plan, 'the controller') })),
  ...inventory.shims.map((shim) => ({ ...shimOf(shim), ...tierOf(plan, `the ${shim.name} shim`) })),
]

const tierOf = (plan: Plan | undefined, title: string): Pick<ComponentStatus, 'tier'> => {
  const tier = plan?.components.find(({ component }) => component === title)?.tier
  return tier === undefined ? {} : { tier }
}

const versionOf = (version: KnownVersion): Pick<ComponentStatus, 'version'> =>
  version.known ? { version: version.version } : {}

const controllerOf = ({ namespace, deployment, image, version, lease, ...install }: Install): ComponentStatus => ({
  component: 'controller',
  deployment: { namespace, name: deployment.name },
  ...versionOf(version),
  image,
  replicas: install.replicas,
  readyReplicas: install.readyReplicas,
  ...(lease === undefined
    ? {}
    : {
        lease: {
          name: lease.name,
          ...(lease.holder === undefined ? {} : { holder: lease.holder }),
          fresh: lease.fresh,
        },
      }),
})

const shimOf = ({ name, namespace, deployment, image, version, ...shim }: InstalledShim): ComponentStatus => ({
  component: name,
  deployment: { namespace, name: deployment.name },
  ...versionOf(version),
  image,
  replicas: shim.replicas,
  readyReplicas: shim.readyReplicas,
  ...(shim.providerConfig === undefined ? {} : { ready: shim.providerConfig.ready }),
})
