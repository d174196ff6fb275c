/** Which kinds a server has: the built-in table first, then the server's own word, kept until a kind is missing. */
import type { Resource } from './client.types.ts'
import { isNotFound } from './errors.ts'
import { builtInResource, groupVersionPath, splitApiVersion } from './resources.ts'

interface ApiResourceList {
  resources?: { name: string; kind: string; namespaced: boolean; group?: string; version?: string }[]
}
interface ApiVersions {
  versions?: string[]
}
interface ApiGroupList {
  groups?: { versions?: { groupVersion: string }[] }[]
}

export class Discovery {
  readonly #read: <T>(path: string) => Promise<T>
  readonly #lists = new Map<string, Promise<ApiResourceList>>()

  constructor(read: <T>(path: string) => Promise<T>) {
    this.#read = read
  }

  /** The resource of a kind, or undefined where the server does not serve it (now). */
  async find(apiVersion: string, kind: string): Promise<Resource | undefined> {
    const known = builtInResource(apiVersion, kind)
    if (known) return known
    const cached = this.#lists.has(apiVersion)
    const found = pick(await this.#list(apiVersion), apiVersion, kind)
    if (found || !cached) return found
    // What was read before may be older than the CRD that brought the kind.
    this.#lists.delete(apiVersion)
    return pick(await this.#list(apiVersion), apiVersion, kind)
  }

  /** All group versions that are served now; asked anew each time. */
  async groupVersions(): Promise<Set<string>> {
    const [core, groups] = await Promise.all([this.#read<ApiVersions>('/api'), this.#read<ApiGroupList>('/apis')])
    const named = (groups.groups ?? []).flatMap((group) =>
      (group.versions ?? []).map((version) => version.groupVersion),
    )
    return new Set([...(core.versions ?? []), ...named])
  }

  async #list(apiVersion: string): Promise<ApiResourceList | undefined> {
    const { group, version } = splitApiVersion(apiVersion)
    let list = this.#lists.get(apiVersion)
    if (!list) {
      list = this.#read<ApiResourceList>(groupVersionPath(group, version))
      this.#lists.set(apiVersion, list)
    }
    try {
      return await list
    } catch (error) {
      if (this.#lists.get(apiVersion) === list) this.#lists.delete(apiVersion)
      if (isNotFound(error)) return undefined
      throw error
    }
  }
}

function pick(list: ApiResourceList | undefined, apiVersion: string, kind: string): Resource | undefined {
  const entry = list?.resources?.find((resource) => resource.kind === kind && !resource.name.includes('/'))
  return entry && { ...splitApiVersion(apiVersion), plural: entry.name, kind, namespaced: entry.namespaced }
}
