/** The official binaries of Kubernetes and etcd, used only with the checksum that is published beside them. */
import { createHash } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { arch, platform } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Progress } from '../report/progress.ts'
import { Refusal } from '../report/refusal.ts'
import type { ServerVersions } from './server-versions.ts'
import { fileInTar } from './tar.ts'

/** Base URLs, without a slash at the end. */
export interface Downloads {
  /** holds `v1.36.3/bin/linux/amd64/kube-apiserver` and `.sha256` beside each binary */
  kubernetes: string
  /** holds `v3.6.8/etcd-v3.6.8-linux-amd64.tar.gz` and `SHA256SUMS` */
  etcd: string
  /** how long a server may take to begin an answer */
  answerTimeoutMs: number
}

/** As https://kubernetes.io/releases/download and etcd's release pages have it. */
export const officialDownloads: Downloads = {
  kubernetes: 'https://dl.k8s.io/release',
  etcd: 'https://github.com/etcd-io/etcd/releases/download',
  answerTimeoutMs: 3000,
}

/** The binaries cannot be had this way, here: no network, or no binary for this system. Not a wrong checksum. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
}

/** The checksum of a file in the text of a checksum file: the only word, or the word before the file's name. Pure. */
export function checksumOf(text: string, file: string): string | undefined {
  for (const line of text.split('\n')) {
    const [sum, name] = line.trim().split(/\s+\*?/)
    if (sum !== undefined && /^[0-9a-f]{64}$/.test(sum) && (name === undefined || name === file)) return sum
  }
  return undefined
}

/**
 * Downloads the three servers into a folder.
 * @throws Unavailable where a server cannot be reached or has no such file, Refusal (failed) on a wrong checksum; then the
 * folder is to be thrown away
 */
export async function downloadServers(
  folder: string,
  versions: ServerVersions,
  downloads: Downloads,
  progress: Progress,
): Promise<void> {
  // Kubernetes publishes server binaries for Linux alone.
  if (platform() !== 'linux') throw new Unavailable(`there are no official servers for ${platform()}`)
  const cpu = arch() === 'x64' ? 'amd64' : arch()
  const task = progress.task(`downloading the servers of Kubernetes ${versions.kubernetes}`)
  try {
    const release = `${downloads.kubernetes}/v${versions.kubernetes}/bin/linux/${cpu}`
    for (const name of ['kube-apiserver', 'kube-controller-manager']) {
      const data = await checked(`${release}/${name}`, `${release}/${name}.sha256`, name, downloads, task.update)
      await writeExecutable(join(folder, name), data)
    }
    const archive = `etcd-v${versions.etcd}-linux-${cpu}`
    const etcd = `${downloads.etcd}/v${versions.etcd}`
    const data = await checked(
      `${etcd}/${archive}.tar.gz`,
      `${etcd}/SHA256SUMS`,
      `${archive}.tar.gz`,
      downloads,
      task.update,
    )
    const binary = fileInTar(gunzipSync(data), `${archive}/etcd`)
    if (!binary) throw new Unavailable(`${archive}.tar.gz holds no etcd`)
    await writeExecutable(join(folder, 'etcd'), binary)
    task.done()
  } catch (error) {
    if (error instanceof Unavailable) task.done(`no download of the servers: ${error.message}`)
    else task.fail(error instanceof Error ? error.message : String(error))
    throw error
  }
}

async function writeExecutable(file: string, data: Uint8Array): Promise<void> {
  await writeFile(file, data)
  await chmod(file, 0o755)
}

async function checked(
  url: string,
  sumUrl: string,
  name: string,
  downloads: Downloads,
  say: (text: string) => void,
): Promise<Uint8Array> {
  // The small file first: without a network this is where it ends, after one short timeout.
  const sums = new TextDecoder().decode(await fetchAll(sumUrl, downloads, () => {}))
  const wanted = checksumOf(sums, name)
  if (wanted === undefined) throw new Unavailable(`${sumUrl} has no checksum of ${name}`)
  const data = await fetchAll(url, downloads, (bytes) => say(`${name} ${Math.floor(bytes / 1e6)} MB`))
  const got = createHash('sha256').update(data).digest('hex')
  if (got !== wanted) {
    throw new Refusal('failed', `the download of ${name} has the wrong checksum, nothing of it was kept`, {
      why: `${url} has SHA-256 ${got}, published is ${wanted}`,
      next: 'try again; if it stays, set AIRUNWAY_SERVERS_DOWNLOAD=off to build from source instead',
    })
  }
  return data
}

async function fetchAll(url: string, downloads: Downloads, say: (bytes: number) => void): Promise<Uint8Array> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(new Error('no answer in time')), downloads.answerTimeoutMs)
  try {
    const response = await fetch(url, { signal: abort.signal })
    if (!response.ok || !response.body) throw new Unavailable(`${url} answers ${response.status}`)
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      // From the first byte on only silence counts: a slow line may take its minutes.
      timer.refresh()
      chunks.push(chunk)
      bytes += chunk.length
      say(bytes)
    }
    return Buffer.concat(chunks)
  } catch (error) {
    if (error instanceof Unavailable) throw error
    throw new Unavailable(`${new URL(url).host} cannot be reached`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}
