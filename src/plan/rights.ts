/** Rights as RBAC objects: the fewest rules that allow what is asked for, and nothing broader. Pure. */
import type { AccessRequest } from '../kubernetes/client.types.ts'
import type { AnyObject } from '../kubernetes/objects.ts'

/** Who is given the rights. */
export interface Subject {
  kind: 'User' | 'ServiceAccount'
  name: string
  namespace?: string
}

export interface PolicyRule {
  apiGroups: string[]
  resources: string[]
  resourceNames?: string[]
  verbs: string[]
}

/** On roles that a run does without: what they are for. */
export const optionalAnnotation = 'cli.airunway.ai/optional'

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/
const RBAC = 'rbac.authorization.k8s.io'

/** The subject that a user name stands for; the API server calls ServiceAccounts `system:serviceaccount:NAMESPACE:NAME`. */
export const subjectOf = (user: string): Subject => {
  const [, namespace, name] = SERVICE_ACCOUNT.exec(user) ?? []
  return namespace === undefined || name === undefined
    ? { kind: 'User', name: user }
    : { kind: 'ServiceAccount', namespace, name }
}

const resourceOf = ({ resource, subresource }: AccessRequest): string =>
  subresource === undefined ? resource : `${resource}/${subresource}`

/** A right without a name or a namespace holds for all of them. */
const covers = (wide: AccessRequest, narrow: AccessRequest): boolean =>
  wide.verb === narrow.verb &&
  wide.group === narrow.group &&
  resourceOf(wide) === resourceOf(narrow) &&
  (wide.namespace === undefined || wide.namespace === narrow.namespace) &&
  (wide.name === undefined || wide.name === narrow.name)

/** The requests without those that another one covers, each once. */
export const fewestRequests = (requests: AccessRequest[]): AccessRequest[] =>
  requests.filter(
    (request, index) =>
      !requests.some(
        (other, place) => place !== index && covers(other, request) && (!covers(request, other) || place < index),
      ),
  )

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** One rule for each resource and set of names, with all its verbs. */
export const rulesFor = (requests: AccessRequest[]): PolicyRule[] => {
  const resources = Map.groupBy(requests, (request) => `${request.group} ${resourceOf(request)}`)
  return [...resources]
    .toSorted(([a], [b]) => byText(a, b))
    .flatMap(([, asked]) => {
      const names = Map.groupBy(asked, ({ verb }) => verb)
      const verbsOfNames = Map.groupBy(names, ([, each]) =>
        each
          .map(({ name = '' }) => name)
          .toSorted(byText)
          .join(' '),
      )
      return [...verbsOfNames]
        .toSorted(([a], [b]) => byText(a, b))
        .flatMap(([key, verbs]) => ruleFor(asked, key, verbs))
    })
}

const ruleFor = ([first]: AccessRequest[], names: string, verbs: [string, unknown][]): PolicyRule[] =>
  first === undefined
    ? []
    : [
        {
          apiGroups: [first.group],
          resources: [resourceOf(first)],
          ...(names === '' ? {} : { resourceNames: names.split(' ') }),
          verbs: verbs.map(([verb]) => verb).toSorted(byText),
        },
      ]

/**
 * Roles with their bindings: one ClusterRole for what is asked in all namespaces or of objects without one, and one Role for
 * each namespace. `name` is that of all of them.
 */
export const rightsAsObjects = (
  requests: AccessRequest[],
  name: string,
  subject: Subject,
  annotations?: Record<string, string>,
): AnyObject[] => {
  const scopes = Map.groupBy(fewestRequests(requests), ({ namespace }) => namespace)
  return [...scopes]
    .toSorted(([a = ''], [b = '']) => byText(a, b))
    .flatMap(([namespace, asked]) => {
      const kind = namespace === undefined ? 'ClusterRole' : 'Role'
      const metadata = {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        labels: { 'app.kubernetes.io/managed-by': 'kubectl-airunway' },
        ...(annotations !== undefined && { annotations }),
      }
      const subjects = [subject.kind === 'User' ? { apiGroup: RBAC, ...subject } : subject]
      return [
        { apiVersion: `${RBAC}/v1`, kind, metadata, rules: rulesFor(asked) },
        {
          apiVersion: `${RBAC}/v1`,
          kind: `${kind}Binding`,
          metadata,
          roleRef: { apiGroup: RBAC, kind, name },
          subjects,
        },
      ]
    })
}
