/** Clusters that are saved once and started again from a copy of etcd's directory, each time in the same state. */
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Lease } from '../../src/kubernetes/objects.ts'
import { controlPlanePaths } from '../../src/playground/control-plane-files.ts'
import { readState } from '../../src/playground/state.ts'
import type { ControlPlane } from './control-plane.ts'

const SERVERS = new Set(['etcd', 'kube-apiserver', 'kube-controller-manager'])
/** Leases of nodes and API servers: their holders are there again as soon as they run. */
const OF_THE_SERVERS = /^kube-/

/**
 * Saves the state of a cluster in a folder, for `startControlPlane({ saved })`. Its Leases have no holders there: the pods
 * that held them are dead for whoever starts it, and nobody shall wait 15 s for them. The cluster runs on as it was.
 */
export async function saveCluster(cluster: ControlPlane, folder: string): Promise<void> {
  const { processes, dataDirectory } = stateOf(cluster)
  const pods = processes.filter(({ name }) => !SERVERS.has(name))
  const etcd = processes.filter(({ name }) => name === 'etcd')
  const leases = (await cluster.client.list<Lease>({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' })).filter(
    ({ metadata }) => !OF_THE_SERVERS.test(metadata.namespace ?? ''),
  )
  await whileStopped(pods, async () => {
    for (const { metadata } of leases) await writeHolder(cluster, metadata, '')
    await whileStopped(etcd, () => copyFiles(cluster, dataDirectory, folder))
    for (const { metadata, spec } of leases) await writeHolder(cluster, metadata, spec?.holderIdentity ?? '')
  })
}

const stateOf = (cluster: ControlPlane) => {
  const state = readState(cluster.dir)
  if (state === undefined) throw new Error(`there is no control plane in ${cluster.dir}`)
  return state
}

/** Stopped, a process writes nothing; its files are those that it would find again after a crash. */
const whileStopped = async (processes: { pid: number }[], work: () => void | Promise<void>): Promise<void> => {
  for (const { pid } of processes) process.kill(pid, 'SIGSTOP')
  try {
    await work()
  } finally {
    for (const { pid } of processes) process.kill(pid, 'SIGCONT')
  }
}

const writeHolder = async (
  { client }: ControlPlane,
  { name, namespace }: Lease['metadata'],
  holderIdentity: string,
): Promise<void> => {
  const ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name, ...(namespace && { namespace }) }
  await client.patch(ref, { spec: { holderIdentity } }, { type: 'merge' })
}

const copyFiles = (cluster: ControlPlane, dataDirectory: string, folder: string): void => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  // What etcd has set aside for its next log is empty, and 64 MB large.
  cpSync(dataDirectory, join(folder, 'etcd'), { recursive: true, filter: (source) => !source.endsWith('.tmp') })
  const { serviceAccountKey, tokens, clientAuthority, clientAuthorityKey, ...paths } = controlPlanePaths(cluster.dir)
  const { certificates, controllerManagerCertificates } = paths
  for (const path of [
    serviceAccountKey,
    tokens,
    clientAuthority,
    clientAuthorityKey,
    certificates,
    controllerManagerCertificates,
  ])
    cpSync(path, join(folder, basename(path)), { recursive: true })
  // What Node has compiled of the stand-ins.
  const compiled = '.compile-cache'
  if (existsSync(join(paths.pods, compiled)) && readdirSync(join(paths.pods, compiled)).length > 0)
    cpSync(join(paths.pods, compiled), join(folder, basename(paths.pods), compiled), { recursive: true })
}
