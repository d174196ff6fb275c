/** A control plane with kinds to move: definitions, objects, the flip of the storage version, and what etcd holds. */
import { writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import type { KubernetesClient } from '../../../src/kubernetes/client.types.ts'
import { controlPlanePaths } from '../../../src/playground/control-plane-files.ts'
import { readState } from '../../../src/playground/state.ts'
import { type ControlPlane, eventually, startControlPlane } from '../../support/control-plane.ts'
import { prepareBystander } from './bystander.ts'
import {
  besideCertificates,
  certificates,
  definition,
  definitionName,
  type Kind,
  namespaces,
  sampleObject,
  storedUnder,
  versionsOf,
} from './kinds.ts'
import { revisionNow, type StoredBytes, storedBytes } from './stored-bytes.ts'
import { inFlight, openWire, type Wire } from './wire.ts'

export interface BenchCluster extends AsyncDisposable {
  /** of somebody in system:masters, whom priority and fairness exempts */
  kubeconfig: string
  /** of somebody who may do everything too, and waits for a turn like most */
  ordinary: string
  /** process ids of everything that belongs to the control plane, by name; the supervisor is one */
  processes(): Record<string, number>
  wire: Wire
  /** the version that objects of the kind are stored in when they are written */
  storageVersion(kind: Kind): string
  /** Makes another version the storage version, and waits until writes are stored in it. */
  flipStorage(kind: Kind, version: string): Promise<void>
  revision(): Promise<number>
  stored(kind: Kind, since?: number): Promise<StoredBytes>
}

/** Starts a control plane without audit log that has this many objects of each of the kinds. */
export async function startBenchCluster(
  kinds: readonly Kind[],
  objects: number,
  say: (text: string) => void,
): Promise<BenchCluster> {
  say('starting a control plane')
  const controlPlane = await startControlPlane()
  try {
    await withoutAudit(controlPlane)
    const wire = openWire(controlPlane.kubeconfig, 16)
    await prepareBystander(wire)
    for (const namespace of namespaces) {
      const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
      await wire.send('POST', '/api/v1/namespaces', { body: JSON.stringify(body) })
    }
    const definitions = kinds.includes(certificates) ? [...kinds, ...besideCertificates] : kinds
    for (const kind of definitions) await define(controlPlane.client, kind)
    for (const kind of kinds) {
      say(`making ${objects} ${kind.plural}`)
      await fill(wire, kind, objects)
    }
    return benchCluster(controlPlane, wire, definitions, await ordinaryUser(controlPlane))
  } catch (error) {
    await controlPlane.stop()
    throw error
  }
}

async function ordinaryUser({ client, kubeconfigFor }: ControlPlane): Promise<string> {
  const name = 'ordinary'
  const apiGroup = 'rbac.authorization.k8s.io'
  const binding = {
    apiVersion: `${apiGroup}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup, kind: 'User', name }],
  }
  await client.create(binding)
  return kubeconfigFor({ name })
}

function benchCluster(
  controlPlane: ControlPlane,
  wire: Wire,
  definitions: readonly Kind[],
  ordinary: string,
): BenchCluster {
  const { kubeconfig, client, etcdUrl } = controlPlane
  const storage = new Map(definitions.map((kind) => [kind, kind.versions[0]]))
  return {
    kubeconfig,
    ordinary,
    wire,
    processes: () => processesOf(controlPlane),
    storageVersion: (kind) => storage.get(kind) ?? kind.versions[0],
    flipStorage: async (kind, version) => {
      const name = definitionName(kind)
      await client.patch(
        { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name },
        { spec: { versions: versionsOf(kind, version) } },
        { type: 'merge' },
      )
      storage.set(kind, version)
      await eventually(() => isStoredIn(wire, etcdUrl, kind, version))
    },
    revision: () => revisionNow(etcdUrl),
    stored: (kind, since) => storedBytes(etcdUrl, storedUnder(kind), since),
    [Symbol.asyncDispose]: async () => {
      await wire.close()
      await controlPlane.stop()
    },
  }
}

function processesOf({ dir, supervisor }: ControlPlane): Record<string, number> {
  const running = readState(dir)?.processes ?? []
  return { supervisor, ...Object.fromEntries(running.map(({ name, pid }) => [name, pid])) }
}

/**
 * The playground writes every change into its audit log, which costs the API server time that no peer is to blame for.
 * The supervisor starts a killed API server again with the same arguments: by then the policy says that nothing is written.
 */
async function withoutAudit(controlPlane: ControlPlane): Promise<void> {
  const policy = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'None' }] }
  writeFileSync(controlPlanePaths(controlPlane.dir).auditPolicy, stringify(policy))
  const before = processesOf(controlPlane)['kube-apiserver']
  if (before === undefined) throw new Error('the control plane has no API server')
  process.kill(before, 'SIGKILL')
  await eventually(async () => {
    const now = processesOf(controlPlane)['kube-apiserver']
    if (now === undefined || now === before) return false
    return (await controlPlane.client.raw({ method: 'GET', path: '/readyz' })).status === 200
  })
}

async function define(client: KubernetesClient, kind: Kind): Promise<void> {
  await client.create(definition(kind))
  const path = `/apis/${kind.group}/${kind.versions[0]}/${kind.plural}?limit=1`
  await eventually(async () => (await client.raw({ method: 'GET', path })).status === 200)
}

async function fill(wire: Wire, kind: Kind, objects: number): Promise<void> {
  await inFlight(16, Array.from({ length: objects }).keys(), async (number) => {
    const object = sampleObject(kind, number)
    const path = collection(kind, object.metadata.namespace ?? 'default')
    await wire.send('POST', path, { body: JSON.stringify(object) })
  })
}

const collection = ({ group, versions, plural }: Kind, namespace: string): string =>
  `/apis/${group}/${versions[0]}/namespaces/${namespace}/${plural}`

/** Whether an object that is made now is stored in this version; it is deleted again, so that the number of objects stays. */
async function isStoredIn(wire: Wire, etcdUrl: string, kind: Kind, version: string): Promise<boolean> {
  const probe = { ...sampleObject(kind, 0), metadata: { name: 'probe', namespace: 'default' } }
  await wire.send('POST', collection(kind, 'default'), { body: JSON.stringify(probe) })
  const { byVersion } = await storedBytes(etcdUrl, `${storedUnder(kind)}default/probe`)
  await wire.send('DELETE', `${collection(kind, 'default')}/probe`)
  return byVersion[`${kind.group}/${version}`] === 1
}
