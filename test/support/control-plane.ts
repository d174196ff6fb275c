/** A control plane of its own for a test file: real servers, free ports, nothing left behind, also after a crash. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import { connect } from '../../src/kubernetes/connect.ts'
import { clientCertificate } from '../../src/playground/client-certificates.ts'
import { type Credential, expiredToken, kubeconfig } from '../../src/playground/control-plane-config.ts'
import { controlPlanePaths } from '../../src/playground/control-plane-files.ts'
import { entries } from '../../src/playground/entries.ts'
import type { PlaygroundNode } from '../../src/playground/nodes.ts'
import { memoryFolder, startPlayground } from '../../src/playground/playground.ts'
import type { PlaygroundPace } from '../../src/playground/pod-runner.ts'
import { applyScenario, scenarioNodes } from '../../src/playground/scenarios.ts'
import { defaultMinor, minorNumber, serverNames, serverVersions } from '../../src/playground/server-versions.ts'
import { goPlatform, serversCache } from '../../src/playground/servers.ts'
import { clear, isAttended, readState } from '../../src/playground/state.ts'
import type { CertificateAndKey } from '../../src/playground/x509.ts'
import { silentProgress } from '../../src/report/progress.ts'

export interface ControlPlaneOptions {
  /** minor, such as `1.30`; the newest unless told otherwise */
  kubernetes?: string
  /** those of the scenario, else one node of the server's version with GPUs */
  nodes?: PlaygroundNode[]
  /** applied before it is given out */
  scenario?: string
  /** further arguments of applyScenario */
  scenarioOptions?: Partial<Parameters<typeof applyScenario>[2]>
  /** image -> program for Node, besides the stand-ins */
  programs?: Record<string, string>
  /** folder of a saved cluster: it starts as that one was */
  saved?: string
  /** quicker than a cluster, for tests that start many */
  pace?: PlaygroundPace
}

/** One line of the audit log, with the fields that tests look at. */
export interface AuditEvent {
  auditID: string
  verb: string
  requestURI: string
  /** `extra` has the pod's name for a token that is bound to a pod: `authentication.kubernetes.io/pod-name` */
  user: { username: string; groups?: string[]; extra?: Record<string, string[]> }
  impersonatedUser?: { username: string }
  objectRef?: {
    resource: string
    namespace?: string
    name?: string
    apiGroup?: string
    apiVersion?: string
    subresource?: string
  }
  responseStatus?: { code: number; reason?: string; message?: string }
  requestReceivedTimestamp: string
  /** of the last stage: when it was answered */
  stageTimestamp: string
  stage: string
  userAgent?: string
}

export interface ControlPlane extends AsyncDisposable {
  dir: string
  /** path of the administrator's kubeconfig */
  kubeconfig: string
  /** path */
  auditLog: string
  etcdUrl: string
  /** https://127.0.0.1:PORT */
  server: string
  /** folder of etcd, kube-apiserver and kube-controller-manager */
  binaries: string
  /** `1.36.3` */
  version: string
  /** process of its supervisor */
  supervisor: number
  /** administrator */
  client: KubernetesClient
  /** the folder for AIRUNWAY_RELEASES; that of the examples without a scenario */
  releases: string
  /** for spawned commands: the administrator's KUBECONFIG and AIRUNWAY_RELEASES, over this process' environment */
  env: NodeJS.ProcessEnv
  /** all writes that the audit log has by now, except leases and events, in order; each once (its last stage) */
  auditEvents(filter?: (event: AuditEvent) => boolean): AuditEvent[]
  /** path of a kubeconfig for a user with a client certificate; `view: true` binds ClusterRole view to it */
  kubeconfigFor(user: { name: string; groups?: string[]; view?: boolean }): Promise<string>
  /** path of a kubeconfig whose credentials the API server once would have known: 401 */
  expiredKubeconfig(): string
  /** path of a kubeconfig that logs in with this */
  kubeconfigWith(userName: string, credential: Credential): string
  stop(): Promise<void>
}

/** Whether this machine can run the control plane, and if not why. With CI=true it throws instead: there nothing is skipped. */
export function clusterTestsPossible(kubernetes: string = defaultMinor): { possible: boolean; reason?: string } {
  const reason = objection(kubernetes)
  if (reason === undefined) return { possible: true }
  if (process.env['CI'] === 'true') throw new Error(`the cluster tests cannot run: ${reason}`)
  return { possible: false, reason }
}

function objection(kubernetes: string): string | undefined {
  if (process.platform !== 'linux' && process.platform !== 'darwin')
    return `there are no servers for ${process.platform}`
  const folders = [
    process.env['KUBEBUILDER_ASSETS'] ?? '',
    join(serversCache(process.env), serverVersions(entries().servers, kubernetes).kubernetes, goPlatform()),
  ]
  if (folders.some((folder) => folder !== '' && serverNames.every((name) => existsSync(join(folder, name)))))
    return undefined
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return `Kubernetes ${kubernetes} is neither in KUBEBUILDER_ASSETS nor in the cache, and there is no Go to build it`
  }
}

const base = (): string => join(memoryFolder() ?? tmpdir(), `airunway-tests-${userInfo().uid}`)

/** Ends what earlier test runs left whose supervisor was killed; running ones of others are not touched. */
export function clearLeftovers(): void {
  mkdirSync(base(), { recursive: true })
  for (const name of readdirSync(base())) {
    const state = readState(join(base(), name))
    if (state === undefined || (state.phase !== 'failed' && isAttended(state))) continue
    // Its tests say no more than that nothing answers, and its logs go now.
    if (state.failure !== undefined) process.stderr.write(`the control plane ${name} failed: ${state.failure}\n`)
    clear(state)
  }
}

/**
 * Starts a control plane with clean state. It ends with `stop`, with `await using`, and when this process dies in whatever way.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const kubernetes = options.kubernetes ?? defaultMinor
  clearLeftovers()
  const directory = join(base(), randomBytes(4).toString('hex'))
  const nodes =
    options.nodes ?? (options.scenario ? scenarioNodes(options.scenario, minorNumber(kubernetes)) : undefined)
  const playground = await startPlayground({
    directory,
    kubernetes,
    ...(nodes && { nodes }),
    ...(options.programs && { programs: options.programs }),
    ...(options.saved !== undefined && { saved: options.saved }),
    ...(options.pace && { pace: options.pace }),
    env: process.env,
    progress: silentProgress,
  })
  try {
    const client = await connect({ kubeconfig: playground.state.kubeconfig }, { env: {} })
    const releases = await fill(client, directory, options)
    return controlPlane(playground, client, releases)
  } catch (error) {
    await playground.stop()
    throw error
  }
}

async function fill(client: KubernetesClient, directory: string, options: ControlPlaneOptions): Promise<string> {
  const releases = join(entries().examples, 'releases')
  if (!options.scenario) return releases
  const work = join(directory, 'scenario')
  mkdirSync(work)
  const applied = await applyScenario(client, options.scenario, {
    releases,
    work,
    progress: silentProgress,
    ...options.scenarioOptions,
  })
  return applied.releases
}

function controlPlane(
  playground: Awaited<ReturnType<typeof startPlayground>>,
  client: KubernetesClient,
  releases: string,
): ControlPlane {
  const { state, servers } = playground
  const stop = async (): Promise<void> => {
    await client.close()
    await playground.stop()
    // The folder of all of them goes with the last.
    if (existsSync(base()) && readdirSync(base()).length === 0) rmSync(base(), { recursive: true, force: true })
  }
  return {
    dir: state.directory,
    kubeconfig: state.kubeconfig,
    auditLog: state.auditLog,
    etcdUrl: state.etcdUrl,
    server: state.server,
    binaries: servers.folder,
    version: state.kubernetes,
    supervisor: state.supervisor,
    client,
    releases,
    // A day on which the servers' minors are judged as the tests expect, whenever they run.
    env: { ...process.env, KUBECONFIG: state.kubeconfig, AIRUNWAY_RELEASES: releases, AIRUNWAY_TODAY: '2026-11-22' },
    auditEvents: (filter = () => true) => readAuditLog(state.auditLog).filter(filter),
    ...kubeconfigs(state.directory, state.server, client),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function readAuditLog(file: string): AuditEvent[] {
  const last = new Map<string, AuditEvent>()
  // The last line may be half written.
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  for (const line of lines) {
    const event = JSON.parse(line) as AuditEvent
    last.set(event.auditID, event)
  }
  return [...last.values()]
}

function kubeconfigs(
  directory: string,
  server: string,
  client: KubernetesClient,
): Pick<ControlPlane, 'kubeconfigFor' | 'kubeconfigWith' | 'expiredKubeconfig'> {
  const paths = controlPlanePaths(directory)
  const kubeconfigWith = (userName: string, credential: Credential): string => {
    const file = join(directory, `${userName.replaceAll(/[^\w.-]/g, '_')}-${randomBytes(3).toString('hex')}.kubeconfig`)
    writeFileSync(
      file,
      stringify(kubeconfig(server, readFileSync(paths.servingCertificate, 'utf8'), userName, credential)),
      { mode: 0o600 },
    )
    return file
  }
  return {
    kubeconfigWith,
    kubeconfigFor: async (user) => {
      if (user.view) await bindView(client, user.name)
      const authority: CertificateAndKey = {
        certificate: readFileSync(paths.clientAuthority, 'utf8'),
        key: readFileSync(paths.clientAuthorityKey, 'utf8'),
      }
      const end = new Date(Date.now() + 86_400_000)
      return kubeconfigWith(
        user.name,
        clientCertificate(authority, { name: user.name, groups: user.groups ?? [] }, end),
      )
    },
    expiredKubeconfig: () =>
      kubeconfigWith('expired', { token: expiredToken(readFileSync(paths.serviceAccountKey, 'utf8'), new Date()) }),
  }
}

async function bindView(client: KubernetesClient, user: string): Promise<void> {
  await client.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `view-${user}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  } as Parameters<KubernetesClient['apply']>[0])
}

/**
 * Waits until `ask` gives a value (not undefined, not false) and gives it; what it throws meanwhile counts as "not yet".
 * @throws Error after `timeout` milliseconds (60,000), with the last thing that `ask` threw as cause
 */
export async function eventually<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  options: { timeout?: number; interval?: number } = {},
): Promise<T> {
  const timeout = options.timeout ?? 60_000
  const end = performance.now() + timeout
  for (;;) {
    let thrown: unknown
    try {
      const value = await ask()
      if (value !== undefined && value !== false) return value
    } catch (error) {
      thrown = error
    }
    if (performance.now() > end) {
      const text = thrown instanceof Error ? `: ${thrown.message}` : ''
      throw new Error(`it did not happen within ${timeout / 1000} s${text}`, { cause: thrown })
    }
    await sleep(options.interval ?? 50)
  }
}
