/** Which values that a new schema refuses the API server goes on accepting while they stay as they are. */
import type { Finding } from '../../crds/comparison/comparison.types.ts'

/** On by default since then (as beta), and for good since 1.33. */
const ratchetsSince = 30

/** Refusals of one node of an object, which are none where the node is as it was. Of `crd.required` it is the object around. */
const ofUnchangedNodes = new Set(
  [
    'type int-or-string nullable enum minimum maximum multiple-of min-length max-length min-items max-items',
    'min-properties max-properties pattern format required all-of any-of one-of not',
    'additional-properties.constrained items.added property.constrains-unknown',
  ].flatMap((line) => line.split(' ').map((name) => `crd.${name}`)),
)

/**
 * Duplicates in a list are accepted in an update when the old object has some already: that check is older than ratcheting, and
 * depends neither on the version nor on whether the list is as it was.
 */
const ofOldObjects = new Set(['crd.list-type', 'crd.list-map-keys'])

/**
 * Does an update that leaves the value alone go on being accepted? The object itself is never as it was: a write changes its
 * metadata at least, so nothing ratchets there. What is pruned or filled in is no refusal, and ratchets neither; nor do apiVersion,
 * kind and metadata of an embedded object.
 */
export function ratchets({ id, node }: Pick<Finding, 'id' | 'node'>, minor: number): boolean {
  if (node === undefined) return false
  const rule = id.slice(0, id.lastIndexOf('.'))
  if (ofOldObjects.has(rule)) return true
  const depth = rule === 'crd.required' ? node.path.length - 1 : node.path.length
  return minor >= ratchetsSince && depth > 0 && (ofUnchangedNodes.has(rule) || ofUnchangedNodes.has(id))
}
