/** Finds the three servers of a control plane: given, cached, downloaded or built, in this order. */
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { arch, homedir, platform } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Progress, ProgressTask } from '../report/progress.ts'
import { Refusal } from '../report/refusal.ts'
import { withFileLock } from './file-lock.ts'
import { type ServerVersions, serverNames, serverVersions } from './server-versions.ts'
import { buildServers } from './servers-build.ts'
import { type Downloads, downloadServers, officialDownloads, Unavailable } from './servers-download.ts'

export interface Servers {
  /** holds etcd, kube-apiserver and kube-controller-manager */
  folder: string
  versions: ServerVersions
  source: 'KUBEBUILDER_ASSETS' | 'cache' | 'download' | 'build'
}

export interface ServersContext {
  env: NodeJS.ProcessEnv
  progress: Progress
  /** folder with one Go module per minor */
  serversFolder: string
  /** where the official binaries are; `false` never downloads */
  downloads?: Downloads | false
  signal?: AbortSignal | undefined
}

/**
 * The cache of servers: `AIRUNWAY_SERVERS_CACHE`, else `airunway/servers` in the user's cache folder
 * (XDG_CACHE_HOME, else ~/.cache, as the XDG base directory specification has it). Pure.
 */
export function serversCache(env: NodeJS.ProcessEnv): string {
  return (
    env['AIRUNWAY_SERVERS_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'airunway', 'servers')
  )
}

/** This machine in Go's words, such as `linux-amd64`. Pure. */
export function goPlatform(os: string = platform(), cpu: string = arch()): string {
  return `${os}-${cpu === 'x64' ? 'amd64' : cpu}`
}

/** Which of the three servers a folder lacks. */
export async function missingServers(folder: string): Promise<string[]> {
  const missing: string[] = []
  for (const name of serverNames) {
    await access(join(folder, name), constants.X_OK).catch(() => missing.push(name))
  }
  return missing
}

/** Why the folder named by KUBEBUILDER_ASSETS cannot serve this minor; undefined where it can. */
export async function assetsObjection(folder: string, minor: string): Promise<string | undefined> {
  const missing = await missingServers(folder)
  if (missing.length > 0) return `it has no ${missing.join(', no ')}`
  const answer = await promisify(execFile)(join(folder, 'kube-apiserver'), ['--version']).catch((error: Error) => error)
  if (answer instanceof Error) return `its kube-apiserver does not start`
  const version = /v(\d+\.\d+)\.\S+/.exec(answer.stdout)
  return version?.[1] === minor
    ? undefined
    : `its kube-apiserver is ${version?.[0] ?? 'of no known version'}, not v${minor}`
}

/** Where the servers are already, without download or build: KUBEBUILDER_ASSETS or the cache; undefined where nowhere. */
export async function findServers(minor: string, context: ServersContext): Promise<Servers | undefined> {
  const versions = serverVersions(context.serversFolder, minor)
  const assets = context.env['KUBEBUILDER_ASSETS']
  if (assets) {
    const objection = await assetsObjection(assets, minor)
    if (objection === undefined) return { folder: assets, versions, source: 'KUBEBUILDER_ASSETS' }
    context.progress.task('KUBEBUILDER_ASSETS').done(`${assets} is not used: ${objection}`)
  }
  const folder = cacheFolder(versions, context)
  return (await missingServers(folder)).length === 0 ? { folder, versions, source: 'cache' } : undefined
}

const cacheFolder = (versions: ServerVersions, context: ServersContext): string =>
  join(serversCache(context.env), versions.kubernetes, goPlatform())

/**
 * Gives the servers of a Kubernetes minor, and makes them where they are not yet.
 * Only one process makes them at a time; they appear in the cache as a whole or not at all.
 * @throws Refusal (usage) for a minor or a system that the playground does not have, Refusal (failed) where a checksum is
 * wrong, where Go is missing, or where the build fails
 */
export async function ensureServers(minor: string, context: ServersContext): Promise<Servers> {
  const found = await findServers(minor, context)
  if (found) return found
  if (platform() !== 'linux' && platform() !== 'darwin') {
    throw new Refusal('usage', `the playground does not run on ${platform()}`, {
      why: 'kube-apiserver needs Linux or macOS',
    })
  }
  const versions = serverVersions(context.serversFolder, minor)
  const folder = cacheFolder(versions, context)
  const parent = join(folder, '..')
  await mkdir(parent, { recursive: true })
  const waits: ProgressTask[] = []
  const waiting = () => {
    waits.push(
      context.progress.task(`waiting for another process that makes the servers of Kubernetes ${versions.kubernetes}`),
    )
  }
  return withFileLock(`${folder}.lock`, { waiting, signal: context.signal }, async () => {
    for (const wait of waits) wait.done()
    if ((await missingServers(folder)).length === 0) return { folder, versions, source: 'cache' }
    // Whoever left a temporary folder is dead, for we hold the lock.
    for (const name of await readdir(parent)) {
      if (name.startsWith(`.${goPlatform()}.`)) await rm(join(parent, name), { recursive: true, force: true })
    }
    const aside = await mkdtemp(join(parent, `.${goPlatform()}.`))
    try {
      const source = await makeServers(aside, versions, context)
      await rm(folder, { recursive: true, force: true })
      await rename(aside, folder)
      return { folder, versions, source }
    } finally {
      await rm(aside, { recursive: true, force: true })
    }
  })
}

async function makeServers(
  aside: string,
  versions: ServerVersions,
  context: ServersContext,
): Promise<'download' | 'build'> {
  const refused = context.env['AIRUNWAY_SERVERS_DOWNLOAD'] === 'off'
  const downloads = refused ? false : (context.downloads ?? officialDownloads)
  let why = 'downloads are off'
  if (downloads !== false) {
    try {
      await downloadServers(aside, versions, downloads, context.progress)
      return 'download'
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      why = error.message
    }
  }
  await buildServers(aside, versions, { ...context, whyNotDownloaded: why })
  return 'build'
}
