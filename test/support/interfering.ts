/** Things that happen while a run goes on: each begins when a step with its words in the title begins. */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import { readState } from '../../src/playground/state.ts'
import type { Progress } from '../../src/report/progress.ts'
import type { ControlPlane } from './control-plane.ts'

export interface Interference {
  progress: Progress
  /** resolves when all has happened; throws where something has not, or went wrong */
  happened(): Promise<void>
}

export const interfering = (events: Record<string, () => Promise<unknown>>): Interference => {
  const begun = new Map<string, Promise<unknown>>()
  return {
    progress: {
      task: (title) => {
        for (const [words, act] of Object.entries(events))
          if (title.includes(words) && !begun.has(words)) {
            const acting = act()
            // Told by `happened`, not by the process.
            acting.catch(() => undefined)
            begun.set(words, acting)
          }
        return { update() {}, done() {}, fail() {} }
      },
    },
    happened: async () => {
      const missing = Object.keys(events).filter((words) => !begun.has(words))
      if (missing.length > 0) throw new Error(`no step began with: ${missing.join(', ')}`)
      await Promise.all(begun.values())
    },
  }
}

/** A GitOps tool: applies objects again and again, by force, until it is stopped. */
export const reapplying = (
  client: KubernetesClient,
  objects: AnyObject[],
  manager: string,
): { stop(): Promise<void> } => {
  const over = new AbortController()
  const running = (async () => {
    while (!over.signal.aborted) {
      for (const object of objects)
        await client.apply(object, { fieldManager: manager, force: true }).catch(() => undefined)
      await delay(200, undefined, { signal: over.signal }).catch(() => undefined)
    }
  })()
  return {
    stop: async () => {
      over.abort()
      await running
    },
  }
}

/** Kills the API server; the playground starts it again. */
export const killApiServer = async ({ dir }: ControlPlane): Promise<void> => {
  const found = readState(dir)?.processes.find(({ name }) => name === 'kube-apiserver')
  if (found === undefined) throw new Error('no API server runs')
  process.kill(found.pid, 'SIGKILL')
}

/** A login by a file with a token that can be taken back. */
export interface RevocableLogin {
  kubeconfig: string
  /** writes a new token into the file; gives what takes back the one before */
  renew(): Promise<() => Promise<void>>
  /** takes back the newest one */
  revoke(): Promise<void>
}

/** A cluster administrator's ServiceAccount whose tokens are bound to Secrets: with the Secret the token ends. */
export const revocableLogin = async ({ client, dir, kubeconfig }: ControlPlane): Promise<RevocableLogin> => {
  const name = `operator-${randomBytes(3).toString('hex')}`
  const namespace = 'default'
  await client.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } })
  await client.create<AnyObject>({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  })
  const file = join(dir, `${name}.token`)
  const login = async (): Promise<() => Promise<void>> => {
    const secret = await client.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `${name}-${randomBytes(3).toString('hex')}`, namespace },
    })
    const { metadata } = secret
    const answer = await client.raw({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          boundObjectRef: {
            apiVersion: 'v1',
            kind: 'Secret',
            name: metadata.name,
            uid: (metadata as AnyObject['metadata']).uid,
          },
        },
      },
    })
    writeFileSync(file, (JSON.parse(answer.text) as { status: { token: string } }).status.token, { mode: 0o600 })
    return async () => client.delete({ apiVersion: 'v1', kind: 'Secret', name: metadata.name, namespace })
  }
  let end = await login()
  const config = parse(readFileSync(kubeconfig, 'utf8')) as { users: { name: string; user: object }[] }
  const path = join(dir, `${name}.kubeconfig`)
  writeFileSync(
    path,
    stringify({ ...config, users: config.users.map((user) => ({ ...user, user: { tokenFile: file } })) }),
    {
      mode: 0o600,
    },
  )
  return {
    kubeconfig: path,
    renew: async () => {
      const before = end
      end = await login()
      return before
    },
    revoke: async () => end(),
  }
}
