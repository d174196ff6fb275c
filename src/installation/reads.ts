/** Reads what an inventory is made of. What may not be read is noted, never left out in silence. */
import type { Collection, KubernetesClient } from '../kubernetes/client.types.ts'
import { ApiError } from '../kubernetes/errors.ts'
import type { CustomResourceDefinition, Deployment, KubernetesObject, Lease, Node, Pod } from '../kubernetes/objects.ts'
import type { Inventory } from './inventory.types.ts'

type Project<T, R> = (object: T) => R | undefined

/**
 * The reads of one inventory. Errors of the connection itself, an expired login and an abort are thrown, since then nothing can
 * be read; every other refusal becomes an entry of `unreadable`.
 */
export class InventoryReads {
  readonly unreadable: Inventory['unreadable'] = []
  readonly #client: KubernetesClient
  readonly #signal: AbortSignal | undefined

  constructor(client: KubernetesClient, signal: AbortSignal | undefined) {
    this.#client = client
    this.#signal = signal
  }

  /**
   * Those Deployments that `project` tells apart, page by page, so that a large cluster is never held in memory. Where not all
   * namespaces may be read, the given ones.
   */
  async deployments<R>(project: Project<Deployment, R>, namespaces: string[]): Promise<R[]> {
    const collection = { apiVersion: 'apps/v1', kind: 'Deployment' }
    const all = await this.#attempt('Deployments of all namespaces', () => this.#collect(collection, project))
    if (all !== undefined) return all
    const parts = namespaces.map((namespace) =>
      this.#attempt(`Deployments in ${namespace}`, () => this.#collect({ ...collection, namespace }, project)),
    )
    return (await Promise.all(parts)).flatMap((part) => part ?? [])
  }

  async nodes<R>(project: Project<Node, R>): Promise<R[]> {
    return (await this.#attempt('Nodes', () => this.#collect({ apiVersion: 'v1', kind: 'Node' }, project))) ?? []
  }

  /** Those of the named CRDs that exist, and the names of those that could not be read. */
  async crds(names: string[]): Promise<{ found: CustomResourceDefinition[]; failed: string[] }> {
    const failed: { name: string; why: string }[] = []
    const answers = await Promise.all(names.map((name) => this.#crd(name, failed)))
    const [first] = failed
    const failedNames = failed.map(({ name }) => name).toSorted()
    if (first !== undefined) {
      // One missing right fails them all: one entry, not one for each.
      this.unreadable.push({ what: `CustomResourceDefinitions ${failedNames.join(', ')}`, why: first.why })
    }
    return { found: answers.filter((crd) => crd !== undefined), failed: failedNames }
  }

  async pods({ metadata, spec }: Deployment): Promise<Pod[]> {
    const labels = Object.entries(spec.selector.matchLabels ?? {})
    const labelSelector = labels.map(([name, value]) => `${name}=${value}`).join(',')
    const { namespace = '', name } = metadata
    const collection = { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector }
    const pods = await this.#attempt(`Pods of ${namespace}/${name}`, () =>
      this.#collect<Pod, Pod>(collection, (pod) => pod),
    )
    return pods ?? []
  }

  lease(namespace: string, name: string): Promise<Lease | undefined> {
    const reference = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name }
    return this.#attempt(`Lease ${namespace}/${name}`, () => this.#client.find<Lease>(reference, this.#signal))
  }

  /** The objects of a CRD. The stored version needs no conversion, so it can be read while a conversion webhook is down. */
  async customResources<R>(crd: CustomResourceDefinition, project: Project<KubernetesObject, R>): Promise<R[]> {
    const versions = crd.spec.versions.filter((version) => version.served)
    const version = versions.find((candidate) => candidate.storage) ?? versions[0]
    const { name } = crd.metadata
    if (version === undefined) {
      this.unreadable.push({
        what: `objects of ${name}`,
        why: 'no version of their CustomResourceDefinition is served',
      })
      return []
    }
    const collection = { apiVersion: `${crd.spec.group}/${version.name}`, kind: crd.spec.names.kind }
    return (await this.#attempt(`objects of ${name}`, () => this.#collect(collection, project))) ?? []
  }

  async #crd(name: string, failed: { name: string; why: string }[]): Promise<CustomResourceDefinition | undefined> {
    const reference = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name }
    try {
      return await this.#client.find<CustomResourceDefinition>(reference, this.#signal)
    } catch (error) {
      failed.push({ name, why: refusalOf(error) })
      return undefined
    }
  }

  async #attempt<R>(what: string, read: () => Promise<R>): Promise<R | undefined> {
    try {
      return await read()
    } catch (error) {
      this.unreadable.push({ what, why: refusalOf(error) })
      return undefined
    }
  }

  async #collect<T extends KubernetesObject, R>(collection: Collection, project: Project<T, R>): Promise<R[]> {
    const results: R[] = []
    const options = this.#signal === undefined ? {} : { signal: this.#signal }
    for await (const page of this.#client.pages<T>(collection, options)) {
      for (const item of page.items) {
        // Items of a list carry no type of their own.
        const result = project({ ...item, apiVersion: collection.apiVersion, kind: collection.kind })
        if (result !== undefined) results.push(result)
      }
    }
    return results
  }
}

/** What the API server said; throws what is no answer of it, and 401, after which no read can succeed. */
function refusalOf(error: unknown): string {
  if (error instanceof ApiError && error.code !== 401) return error.message
  throw error
}
