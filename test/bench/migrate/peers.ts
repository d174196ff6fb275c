/** Other migrators, built from their published sources once, into the cache of the playground's servers. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withFileLock } from '../../../src/playground/file-lock.ts'
import { goPlatform, serversCache } from '../../../src/playground/servers.ts'
import type { CommandLine } from './measured-process.ts'

export type PeerName = 'cmctl' | 'flux'

/** What `go build` is given in the peer's module: they do not resolve in one. */
const packages: Record<PeerName, string> = { cmctl: 'github.com/cert-manager/cmctl/v2', flux: '.' }

const moduleFolder = (name: PeerName): string => join(import.meta.dirname, '..', 'peers', name)

/** Changes with every file of the module, so that what the cache has is what the module says. */
function fingerprint(folder: string): string {
  const hash = createHash('sha256')
  for (const file of readdirSync(folder).toSorted()) hash.update(`${file}\n`).update(readFileSync(join(folder, file)))
  return hash.digest('hex').slice(0, 12)
}

/** Path of the peer's binary; builds it where the cache has none, which takes minutes. */
export async function ensurePeer(name: PeerName, say: (text: string) => void): Promise<string> {
  const parent = join(serversCache(process.env), 'bench', `${name}-${fingerprint(moduleFolder(name))}`)
  const folder = join(parent, goPlatform())
  const binary = join(folder, name)
  if (existsSync(binary)) return binary
  mkdirSync(parent, { recursive: true })
  return withFileLock(
    `${folder}.lock`,
    { waiting: () => say(`waiting for another process that builds ${name}`) },
    async () => {
      if (existsSync(binary)) return binary
      say(`compiling ${name}, once`)
      const aside = mkdtempSync(join(parent, '.aside-'))
      try {
        await build(name, aside)
        rmSync(folder, { recursive: true, force: true })
        renameSync(aside, folder)
      } finally {
        rmSync(aside, { recursive: true, force: true })
      }
      return binary
    },
  )
}

async function build(name: PeerName, folder: string): Promise<void> {
  const args = ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(folder, name), packages[name]]
  await promisify(execFile)('go', args, {
    cwd: moduleFolder(name),
    // readonly keeps go.mod and go.sum as they were checked in.
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
  })
}

/** No limit of their own: what is compared is how they go about it. */
const unlimited = ['--qps', '100000', '--burst', '100000']

/** Moves the six definitions of cert-manager to `v1`, also those whose status says that there is nothing to move. */
export const cmctlCommand = (binary: string, kubeconfig: string): CommandLine => ({
  program: binary,
  args: ['upgrade', 'migrate-api-version', '--kubeconfig', kubeconfig, '--skip-stored-version-check', ...unlimited],
})

export const fluxCommand = (binary: string, kubeconfig: string, crd: string): CommandLine => ({
  program: binary,
  args: ['--kubeconfig', kubeconfig, '--crd', crd, ...unlimited],
})
