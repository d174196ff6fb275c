/** Builds the servers from their published sources with `go build`. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Progress } from '../report/progress.ts'
import { Refusal } from '../report/refusal.ts'
import { type ServerName, type ServerVersions, serverNames } from './server-versions.ts'

export interface BuildContext {
  env: NodeJS.ProcessEnv
  progress: Progress
  serversFolder: string
  /** for the error text where Go is missing */
  whyNotDownloaded: string
  /** ends a build that is under way */
  signal?: AbortSignal | undefined
}

const packages: Record<ServerName, string> = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
}

/** What `go` is called with for one server. The version goes in as Kubernetes' own build does it. Pure. */
export function buildArguments(name: ServerName, versions: ServerVersions, folder: string): string[] {
  const [major, minor] = versions.kubernetes.split('.')
  const version = 'k8s.io/component-base/version'
  const flags = `-s -w -X ${version}.gitVersion=v${versions.kubernetes} -X ${version}.gitMajor=${major} -X ${version}.gitMinor=${minor}`
  // -v names each package as it is compiled: the only sign of life in minutes of work.
  return ['build', '-v', '-trimpath', '-ldflags', flags, '-o', join(folder, name), packages[name]]
}

/** `1m20s`. Pure. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`
}

/** Whether a line that `go build -v` wrote is a sign of progress and not a message. Pure. */
export function isProgressLine(line: string): boolean {
  return line.startsWith('go: downloading ') || /^[\w.~-]+(\/[\w.~+-]+)*$/.test(line)
}

/**
 * Builds all three servers into a folder.
 * @throws Refusal (failed) where `go` is not on PATH or where it fails, with the end of what it said
 */
export async function buildServers(folder: string, versions: ServerVersions, context: BuildContext): Promise<void> {
  for (const name of serverNames) await build(name, folder, versions, context)
}

async function build(name: ServerName, folder: string, versions: ServerVersions, context: BuildContext): Promise<void> {
  const version = name === 'etcd' ? versions.etcd : versions.kubernetes
  const task = context.progress.task(`compiling ${name} ${version}`)
  const started = performance.now()
  let compiled = 0
  let downloaded = 0
  const messages: string[] = []
  const tick = setInterval(() => {
    const counts = compiled > 0 ? `, ${compiled} packages` : downloaded > 0 ? `, ${downloaded} modules downloaded` : ''
    task.update(`${duration(performance.now() - started)}${counts}`)
  }, 1000)
  try {
    const code = await runGo(
      buildArguments(name, versions, folder),
      join(context.serversFolder, versions.minor),
      context,
      (line) => {
        if (line.startsWith('go: downloading ')) downloaded++
        else if (isProgressLine(line)) compiled++
        else messages.push(line)
      },
    )
    context.signal?.throwIfAborted()
    if (code !== 0) {
      throw new Refusal('failed', `${name} ${version} could not be compiled (go build ended with ${code})`, {
        why: messages.slice(-8).join('\n'),
        next: 'see what Go says above; or set KUBEBUILDER_ASSETS to a folder with the three servers',
      })
    }
    task.done(`compiled ${name} ${version} in ${duration(performance.now() - started)}`)
  } catch (error) {
    task.fail(error instanceof Error ? error.message : String(error))
    throw error
  } finally {
    clearInterval(tick)
  }
}

function runGo(
  args: string[],
  cwd: string,
  context: BuildContext,
  line: (text: string) => void,
): Promise<number | string> {
  return new Promise((resolve, reject) => {
    const go = spawn('go', args, {
      cwd,
      // Without cgo the result needs no C compiler and no C library; readonly keeps go.mod and go.sum as they were checked in.
      env: { ...context.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const abort = () => go.kill('SIGTERM')
    context.signal?.addEventListener('abort', abort)
    go.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? noGo(context.whyNotDownloaded) : error),
    )
    go.once('close', (code, signal) => {
      context.signal?.removeEventListener('abort', abort)
      resolve(code ?? signal ?? 'an unknown state')
    })
    createInterface({ input: go.stderr }).on('line', line)
  })
}

function noGo(whyNotDownloaded: string): Refusal {
  return new Refusal(
    'failed',
    'the servers of the playground are not here and cannot be made: there is no `go` on PATH',
    {
      why: `neither KUBEBUILDER_ASSETS nor the cache has them, and there was no download (${whyNotDownloaded})`,
      next: 'install Go from https://go.dev/dl, or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kube-controller-manager',
    },
  )
}
