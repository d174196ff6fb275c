/** Which servers a Kubernetes minor of the playground consists of. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../report/refusal.ts'

/** The three programs of a control plane, by their own names. */
export const serverNames = ['etcd', 'kube-apiserver', 'kube-controller-manager'] as const
export type ServerName = (typeof serverNames)[number]

export interface ServerVersions {
  /** `1.36` */
  minor: string
  /** `1.36.3` */
  kubernetes: string
  /** `3.6.8` */
  etcd: string
}

/** The Kubernetes minors that the playground has a Go module for, newest first. */
export const minors = ['1.36', '1.30'] as const

/** What `--kubernetes` means where it is not given. */
export const defaultMinor: string = minors[0]

/** The required version of a module in a `go.mod`, without the leading `v`. Pure. */
export function requiredVersion(goMod: string, module: string): string | undefined {
  for (const line of goMod.split('\n')) {
    const words = line
      .trim()
      .replace(/^require\s+/, '')
      .split(/\s+/)
    if (words[0] === module && /^v\d/.test(words[1] ?? '') && words[2] !== '=>') return words[1]?.slice(1)
  }
  return undefined
}

/**
 * Reads the versions of a minor from its Go module, the one place where they are written down.
 * @throws Refusal (usage) where there is no module for the minor
 */
export function serverVersions(serversFolder: string, minor: string): ServerVersions {
  const file = join(serversFolder, minor, 'go.mod')
  if (!/^\d+\.\d+$/.test(minor) || !existsSync(file)) {
    throw new Refusal('usage', `the playground has no Kubernetes ${minor}`, {
      next: `choose one of ${minors.join(', ')} with --kubernetes`,
    })
  }
  const goMod = readFileSync(file, 'utf8')
  const kubernetes = requiredVersion(goMod, 'k8s.io/kubernetes')
  const etcd = requiredVersion(goMod, 'go.etcd.io/etcd/server/v3')
  if (kubernetes === undefined || etcd === undefined) throw new Error(`${file} requires no Kubernetes or no etcd`)
  return { minor, kubernetes, etcd }
}

/** `36` of `1.36`. Pure. */
export const minorNumber = (minor: string): number => Number(minor.split('.')[1])
