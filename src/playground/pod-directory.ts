/** The files that a pod's processes read: service account credentials and volumes, as the kubelet mounts them. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubernetesClient } from '../kubernetes/client.types.ts'
import type { Container, Pod } from '../kubernetes/objects.ts'
import { mountsOf, type Volume, volumesOf } from './pod-model.ts'

/** Asked for a bit more than an hour, as the kubelet does; the API server allows no less than ten minutes. */
const tokenLifetimeSeconds = 3607

/** How often tokens and mounted Secrets and ConfigMaps are looked at again, and the age a token is renewed at. */
export const volumeRefreshMs = 5000
const tokenRenewAfterMs = tokenLifetimeSeconds * 800

export class PodDirectory {
  readonly directory: string
  readonly #client: KubernetesClient
  readonly #authority: string
  readonly #written = new Map<string, string>()
  #tokenFrom = Number.NEGATIVE_INFINITY

  constructor(directory: string, client: KubernetesClient, authority: string) {
    this.directory = directory
    this.#client = client
    this.#authority = authority
  }

  get serviceAccountDirectory(): string {
    return join(this.directory, 'serviceaccount')
  }

  /** Mount path -> directory, for one container. */
  mounts(container: Container): Record<string, string> {
    const mounts = mountsOf(container).map((mount) => [
      mount.mountPath,
      // What the API server's admission adds to every pod: the projected volume of the service account.
      mount.mountPath === '/var/run/secrets/kubernetes.io/serviceaccount'
        ? this.serviceAccountDirectory
        : join(this.directory, 'volumes', mount.name, mount.subPath ?? ''),
    ])
    return Object.fromEntries(mounts) as Record<string, string>
  }

  /**
   * Writes what is not there yet or has changed since.
   * @throws Error where the service account, a Secret or a ConfigMap that the pod needs is not there: it cannot start yet
   */
  async refresh(pod: Pod): Promise<void> {
    await this.#writeToken(pod)
    for (const volume of volumesOf(pod)) await this.#writeVolume(pod, volume)
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true })
  }

  async #writeToken(pod: Pod): Promise<void> {
    if (performance.now() - this.#tokenFrom < tokenRenewAfterMs) return
    const { namespace = '', name, uid } = pod.metadata
    const response = await this.#client.raw({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/serviceaccounts/${pod.spec.serviceAccountName ?? 'default'}/token`,
      contentType: 'application/json',
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          expirationSeconds: tokenLifetimeSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      },
    })
    if (response.status !== 201)
      throw new Error(`no token for service account ${pod.spec.serviceAccountName ?? 'default'}`)
    const { status } = JSON.parse(response.text) as { status: { token: string } }
    await this.#write(join('serviceaccount', 'token'), status.token)
    await this.#write(join('serviceaccount', 'ca.crt'), this.#authority)
    await this.#write(join('serviceaccount', 'namespace'), namespace)
    this.#tokenFrom = performance.now()
  }

  async #writeVolume(pod: Pod, volume: Volume): Promise<void> {
    await mkdir(join(this.directory, 'volumes', volume.name), { recursive: true })
    const source = volume.secret
      ? { kind: 'Secret', name: volume.secret.secretName, optional: volume.secret.optional }
      : volume.configMap && { kind: 'ConfigMap', name: volume.configMap.name, optional: volume.configMap.optional }
    if (!source) return
    const namespace = pod.metadata.namespace ?? ''
    const object = await this.#client.find({
      apiVersion: 'v1',
      kind: source.kind,
      namespace,
      name: source.name,
    })
    if (!object && !source.optional)
      throw new Error(`MountVolume.SetUp failed for volume "${volume.name}": ${source.kind} "${source.name}" not found`)
    const data = (object?.['data'] as Record<string, string> | undefined) ?? {}
    for (const [key, value] of Object.entries(data)) {
      const text = source.kind === 'Secret' ? Buffer.from(value, 'base64').toString('latin1') : value
      await this.#write(join('volumes', volume.name, key), text, source.kind === 'Secret' ? 'latin1' : 'utf8')
    }
  }

  /** Whole or not at all, for a process may read at any moment. */
  async #write(name: string, text: string, encoding: 'utf8' | 'latin1' = 'utf8'): Promise<void> {
    if (this.#written.get(name) === text) return
    const file = join(this.directory, name)
    await mkdir(join(file, '..'), { recursive: true })
    await writeFile(`${file}.new`, text, { encoding, mode: 0o600 })
    await rename(`${file}.new`, file)
    this.#written.set(name, text)
  }
}
