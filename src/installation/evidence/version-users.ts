/** Who has written objects in a version, as far as the objects tell. */
import type { VersionUsers } from '../../crds/comparison/evidence.types.ts'
import type { KubernetesObject } from '../../kubernetes/objects.ts'

type User = VersionUsers['users'][number]

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
/** The field manager of `kubectl apply` without `--server-side`. */
const kubectlApply = 'kubectl-client-side-apply'

/** A trace of a version in one object. */
interface Trace {
  manager: string
  via: User['via']
}

/** Where in the object it stands that it was written in the version: each manager once. Empty for no trace. */
export function tracesOf(object: KubernetesObject, apiVersion: string): Trace[] {
  const entries = (object.metadata.managedFields ?? []).filter((entry) => entry.apiVersion === apiVersion)
  const managers = new Set(entries.map(({ manager }) => manager || 'unknown'))
  const traces: Trace[] = [...managers].map((manager) => ({ manager, via: 'managedFields' }))
  const applied = object.metadata.annotations?.[lastApplied]
  if (applied !== undefined && apiVersionOf(applied) === apiVersion) {
    traces.push({ manager: kubectlApply, via: 'last-applied' })
  }
  return traces
}

/** Which field of an object holds a trace. */
export function fieldOfTrace({ via }: Trace): string {
  return via === 'managedFields' ? 'metadata.managedFields' : `metadata.annotations[${lastApplied}]`
}

// Whoever writes objects can write this annotation: anything may be in it.
function apiVersionOf(manifest: string): unknown {
  try {
    const parsed: unknown = JSON.parse(manifest)
    return typeof parsed === 'object' && parsed !== null && 'apiVersion' in parsed ? parsed.apiVersion : undefined
  } catch {
    return undefined
  }
}

/** Counts the users of one version, object by object. */
export class UserCount {
  readonly #users = new Map<string, User>()

  add(object: KubernetesObject, traces: readonly Trace[]): void {
    for (const { manager, via } of traces) {
      const key = `${via} ${manager}`
      const user = this.#users.get(key)
      if (user === undefined) this.#users.set(key, { manager, via, objects: 1, example: nameOf(object) })
      else user.objects += 1
    }
  }

  /** Those of most objects first. */
  users(): User[] {
    return [...this.#users.values()].toSorted(
      (one, other) => other.objects - one.objects || compare(one.via, other.via) || compare(one.manager, other.manager),
    )
  }
}

function nameOf({ metadata: { namespace, name } }: KubernetesObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
