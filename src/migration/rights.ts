/** The rights that a migration needs, so that it is refused before its first write rather than in the middle. */
import type { AccessRequest, KubernetesClient } from '../kubernetes/client.types.ts'
import type { MigrationTarget } from './migration.types.ts'
import type { RequiredRight } from './survey.types.ts'

const everything: AccessRequest = { verb: '*', group: '*', resource: '*' }
/** As many reviews at the same time as an API server answers beside its other work. */
const atOnce = 8

/** What a migration of this definition asks of the API server. No create, update or delete. */
export function requiredRights(target: MigrationTarget): RequiredRight[] {
  const { group, plural, definition } = target
  const definitions = { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions', name: definition }
  const objects = { group, resource: plural }
  const rights: RequiredRight[] = [
    { request: { verb: 'list', ...objects }, why: 'its objects are found by it' },
    { request: { verb: 'get', ...objects }, why: 'an object that somebody writes meanwhile is read again' },
    { request: { verb: 'patch', ...objects }, why: 'each object is rewritten by an empty patch' },
    { request: { verb: 'get', ...definitions }, why: 'the definition is read again before it is trimmed' },
    // List and watch by a field selector on the name are granted by a rule that has the name.
    { request: { verb: 'list', ...definitions }, why: 'a change of the definition meanwhile has to be noticed' },
    { request: { verb: 'watch', ...definitions }, why: 'a change of the definition meanwhile has to be noticed' },
    {
      request: { verb: 'patch', ...definitions, subresource: 'status' },
      why: 'status.storedVersions is trimmed there',
    },
  ]
  if (!target.statusSubresource) return rights
  const way = 'objects whose write a webhook refuses cannot be rewritten through /status'
  return [...rights, { request: { verb: 'patch', ...objects, subresource: 'status' }, why: way, optional: true }]
}

/**
 * Which of the rights the user lacks, in their order; each is asked about once. An administrator costs one request.
 */
export async function missingRights(
  client: KubernetesClient,
  rights: readonly RequiredRight[],
  signal?: AbortSignal,
): Promise<RequiredRight[]> {
  const once = [...new Map(rights.map((right) => [JSON.stringify(right.request), right])).values()]
  if (once.length === 0) return []
  const [administrator] = await client.canI([everything], signal)
  if (administrator === true) return []
  const missing: RequiredRight[] = []
  for (let start = 0; start < once.length; start += atOnce) {
    const some = once.slice(start, start + atOnce)
    const allowed = await client.canI(
      some.map(({ request }) => request),
      signal,
    )
    missing.push(...some.filter((_right, index) => allowed[index] !== true))
  }
  return missing
}

/** `patch customresourcedefinitions.apiextensions.k8s.io/status widgets.example.com` */
export function rightText({ verb, group, resource, subresource, name }: AccessRequest): string {
  const where = `${resource}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`
  return `${verb} ${where}${name === undefined ? '' : ` ${name}`}`
}
