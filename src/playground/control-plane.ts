/** Starts etcd, kube-apiserver and kube-controller-manager on free ports of loopback and waits until they serve. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import type { ChildProcesses, RunningProcess } from './child-processes.ts'
import { clientAuthority } from './client-certificates.ts'
import { type ControlPlaneUser, kubeconfig, savedTokens, userNames, viewersGroup } from './control-plane-config.ts'
import {
  apiServerArguments,
  configurationFiles,
  controllerManagerArguments,
  controlPlanePaths,
  etcdArguments,
  type ServerPorts,
} from './control-plane-files.ts'
import type { Ports } from './ports.ts'
import type { ServerName } from './server-versions.ts'
import { waitFor } from './waiting.ts'

export interface ControlPlaneOptions {
  directory: string
  dataDirectory: string
  /** of the egress proxy, which has to listen already */
  socket: string
  /** folder of the binaries */
  servers: string
  processes: ChildProcesses
  ports: Ports
  progress: (text: string) => void
  signal: AbortSignal
}

export interface RunningControlPlane {
  /** https://127.0.0.1:PORT */
  server: string
  etcdUrl: string
  /** the first server that ends, which none should */
  failed: Promise<string>
}

const startTimeoutMs = 120_000
const controllerManagerUser = 'system:kube-controller-manager'

/**
 * Writes the configuration and starts the servers; takes other ports where one was taken in between.
 * @throws Error with the end of the log of a server that did not come up
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<RunningControlPlane> {
  const users = writeConfiguration(options.directory, options.socket)
  for (let attempt = 1; ; attempt++) {
    const ports: ServerPorts = {
      etcd: await options.ports.take(),
      etcdPeer: await options.ports.take(),
      apiServer: await options.ports.take(),
      controllerManager: await options.ports.take(),
    }
    try {
      return await startServers(options, ports, users)
    } catch (error) {
      await options.processes.killAll()
      if (attempt === 3 || !/address already in use/.test(String(error))) throw error
    }
  }
}

function writeConfiguration(directory: string, socket: string): ControlPlaneUser[] {
  const paths = controlPlanePaths(directory)
  for (const folder of [paths.logs, paths.pods, paths.certificates]) mkdirSync(folder, { recursive: true })
  const secret = (file: string, text: string) => writeFileSync(file, text, { mode: 0o600 })
  // Keys and tokens of a saved playground stay: what etcd holds was signed with them.
  const known = new Map(existsSync(paths.tokens) ? savedTokens(readFileSync(paths.tokens, 'utf8')) : [])
  const token = (name: string) => known.get(name) ?? randomBytes(24).toString('hex')
  const users: ControlPlaneUser[] = [
    { name: userNames.admin, token: token(userNames.admin), groups: ['system:masters'] },
    // Names of their own, so that the audit log tells the playground's doings from the user's.
    { name: userNames.kubelet, token: token(userNames.kubelet), groups: ['system:masters'] },
    { name: controllerManagerUser, token: token(controllerManagerUser), groups: ['system:masters'] },
    { name: userNames.viewer, token: token(userNames.viewer), groups: [viewersGroup] },
  ]
  if (!existsSync(paths.serviceAccountKey)) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    secret(paths.serviceAccountKey, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  }
  if (!existsSync(paths.clientAuthorityKey)) {
    const authority = clientAuthority(new Date())
    secret(paths.clientAuthority, authority.certificate)
    secret(paths.clientAuthorityKey, authority.key)
  }
  for (const [file, text] of Object.entries(configurationFiles(paths, users, socket))) secret(file, text)
  return users
}

async function startServers(
  options: ControlPlaneOptions,
  ports: ServerPorts,
  users: ControlPlaneUser[],
): Promise<RunningControlPlane> {
  const paths = controlPlanePaths(options.directory)
  const server = `https://127.0.0.1:${ports.apiServer}`
  options.progress('starting etcd')
  const etcd = await start('etcd', etcdArguments(options.dataDirectory, ports), options)
  await whileRunning(etcd, options, 'etcd', () => listens(ports.etcd))
  options.progress('starting kube-apiserver')
  const apiServer = await start('kube-apiserver', apiServerArguments(paths, ports), options)
  const token = users[0]?.token ?? ''
  await whileRunning(apiServer, options, 'kube-apiserver', () => existsSync(paths.servingCertificate))
  // The certificate is there long before the server is ready; the controller manager waits for it by itself meanwhile.
  writeKubeconfigs(options.directory, server, users)
  const startManager = () => start('kube-controller-manager', controllerManagerArguments(paths, ports), options)
  const early = await startManager()
  let gaveUp = false
  void early.ended.then(() => {
    gaveUp = true
  })
  await whileRunning(apiServer, options, 'kube-apiserver', () =>
    ready(server, readFileSync(paths.servingCertificate, 'utf8'), token),
  )
  options.progress('starting kube-controller-manager')
  // It waits 10 s for the API server to be healthy, and then ends: too short on a busy machine.
  const controllerManager = gaveUp ? await startManager() : early
  await whileRunning(controllerManager, options, 'kube-controller-manager', () => listens(ports.controllerManager))
  return {
    server,
    etcdUrl: `http://127.0.0.1:${ports.etcd}`,
    failed: Promise.race([
      endOf(etcd, options),
      endOfRestarted(apiServer, () => start('kube-apiserver', apiServerArguments(paths, ports), options), options),
      endOfRestarted(controllerManager, startManager, options),
    ]),
  }
}

async function endOf(process: RunningProcess, { directory }: ControlPlaneOptions): Promise<string> {
  const { code, signal } = await process.ended
  return `${process.name} ended (${signal ?? `code ${code}`})\n${logEnd(directory, process.name)}`
}

/** So long a server has to run, for its end not to be that of its start. */
const steadyMs = 20_000
// The controller manager ends after 10 s without an API server, and that one may take a minute where everybody waits.
const mostFailedStarts = 10
const restartDelayMs = 500

/**
 * A server that was killed, or ended after it had run, is started again, as a kubelet does with a static pod: an API server ends
 * where a busy machine does not let it finish its start. One that does not come to run at all would not do so the next time either.
 */
async function endOfRestarted(
  first: RunningProcess,
  again: () => Promise<RunningProcess>,
  options: ControlPlaneOptions,
): Promise<string> {
  let failedStarts = 0
  for (let process = first, started = performance.now(); ; started = performance.now()) {
    const { signal } = await process.ended
    failedStarts = signal === 'SIGKILL' || performance.now() - started > steadyMs ? 0 : failedStarts + 1
    if (failedStarts > 0) await sleep(restartDelayMs, undefined, options).catch(() => undefined)
    const isOver = options.signal.aborted || failedStarts > mostFailedStarts
    const next = isOver ? undefined : await again().catch(() => undefined)
    if (next === undefined) return endOf(process, options)
    process = next
  }
}

function writeKubeconfigs(directory: string, server: string, users: ControlPlaneUser[]): void {
  const paths = controlPlanePaths(directory)
  const authority = readFileSync(paths.servingCertificate, 'utf8')
  const files = [paths.kubeconfig, paths.kubeletKubeconfig, paths.controllerManagerKubeconfig]
  for (const [index, file] of files.entries()) {
    const user = users[index]
    if (!user) continue
    writeFileSync(file, stringify(kubeconfig(server, authority, user.name, { token: user.token })), { mode: 0o600 })
  }
}

function start(name: ServerName, args: string[], options: ControlPlaneOptions): Promise<RunningProcess> {
  return options.processes.start(name, join(options.servers, name), args, {
    log: join(controlPlanePaths(options.directory).logs, `${name}.log`),
    cwd: options.directory,
    // No proxy of the user's may come between servers that talk on loopback.
    env: { PATH: process.env['PATH'], HOME: options.directory, NO_PROXY: '*', no_proxy: '*' },
  })
}

async function whileRunning(
  process: RunningProcess,
  options: ControlPlaneOptions,
  name: ServerName,
  ask: () => Promise<boolean> | boolean,
): Promise<void> {
  let ended = false
  void process.ended.then(() => {
    ended = true
  })
  const asked = () => {
    if (ended) throw new Error(`${name} did not start\n${logEnd(options.directory, name)}`)
    return ask()
  }
  await waitFor(`${name} serves`, asked, { timeoutMs: startTimeoutMs, signal: options.signal })
}

/** The last lines that a server wrote. */
export function logEnd(directory: string, name: string, lines = 15): string {
  try {
    const text = readFileSync(join(controlPlanePaths(directory).logs, `${name}.log`), 'utf8')
    return text.trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    return ''
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function ready(server: string, authority: string, token: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(`${server}/readyz`, {
      ca: authority,
      headers: { authorization: `Bearer ${token}` },
      agent: false,
      timeout: 5000,
    })
    asked.once('response', (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode === 200))
      response.once('error', () => resolve(false))
    })
    asked.once('timeout', () => asked.destroy())
    asked.once('error', () => resolve(false))
    asked.end()
  })
}
