/** Which objects are tried before all are written: some of each sort, seen page by page. No effects. */
import type { KubernetesObject } from '../kubernetes/objects.ts'
import type { ObjectName } from './migration.types.ts'

/**
 * Half of the sample are objects of namespaces that were not seen before, for rules may hold for a namespace; the other half are
 * spread evenly over the list. All objects that are terminating or paused come besides: controllers treat them in another way.
 */
export class Candidates {
  readonly #size: number
  readonly #pausedAnnotation: string | undefined
  readonly #namespaces = new Set<string>()
  readonly #special: ObjectName[] = []
  readonly #ofNamespaces: ObjectName[] = []
  readonly #spread: ObjectName[] = []
  #seen = 0

  constructor(size: number, pausedAnnotation?: string) {
    this.#size = size
    this.#pausedAnnotation = pausedAnnotation
  }

  /** Takes the next page; `total` is the number of all objects, as far as it is known. */
  see(page: readonly KubernetesObject[], total: number): void {
    const distance = Math.max(1, Math.floor(total / Math.max(1, this.#size)))
    for (const { metadata } of page) {
      const { name, namespace } = metadata
      const place = this.#seen++
      const object = { ...(namespace !== undefined && { namespace }), name }
      const unseen = namespace !== undefined && !this.#namespaces.has(namespace)
      // Some clusters have a namespace for each object: no more of them are remembered than are needed.
      if (unseen && this.#namespaces.size < this.#size) this.#namespaces.add(namespace)
      const paused =
        this.#pausedAnnotation !== undefined && metadata.annotations?.[this.#pausedAnnotation] !== undefined
      if (metadata.deletionTimestamp !== undefined || paused) this.#special.push(object)
      else if (unseen && this.#ofNamespaces.length < this.#size) this.#ofNamespaces.push(object)
      else if (place % distance === 0 && this.#spread.length < this.#size) this.#spread.push(object)
    }
  }

  /** Those to try, the special ones first. */
  chosen(): ObjectName[] {
    const half = Math.ceil(this.#size / 2)
    const first = this.#ofNamespaces.slice(0, Math.max(half, this.#size - this.#spread.length))
    return [...this.#special, ...first, ...this.#spread.slice(0, this.#size - first.length)]
  }
}
