/**
 * The rights that `--print-rbac` prints are enough for just this run, and with any one of them taken away the run is refused
 * before it writes anything.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import type { Tier } from '../../src/plan/plan.types.ts'
import { optionalAnnotation, type PolicyRule } from '../../src/plan/rights.ts'
import type { Progress } from '../../src/report/progress.ts'
import { Refusal } from '../../src/report/refusal.ts'
import { abort } from '../../src/services/abort.ts'
import { rollback } from '../../src/services/rollback.ts'
import type { ChangeRequest } from '../../src/services/run-plan.ts'
import type { ChangeResult } from '../../src/services/run-report.types.ts'
import { upgrade } from '../../src/services/upgrade.ts'
import { changeRequest } from '../support/change-request.ts'
import {
  type AuditEvent,
  type ControlPlane,
  clusterTestsPossible,
  eventually,
  startControlPlane,
} from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'

const AT_ONCE = 4
const DEPLOYER = 'system:serviceaccount:ci:deployer'
const GROUP = 'rbac.authorization.k8s.io'

type Run = (request: ChangeRequest) => Promise<ChangeResult>
type RoleObject = AnyObject & { rules: PolicyRule[] }

/** One verb of one rule. */
interface Right {
  role: RoleObject
  rule: PolicyRule
  verb: string
}

const textOf = ({ role, rule, verb }: Right): string =>
  `${role.metadata.namespace ?? 'cluster'}: ${verb} ${rule.resources.join()}.${rule.apiGroups.join()}${rule.resourceNames === undefined ? '' : ' by name'}`

const isRole = (object: AnyObject): object is RoleObject => object.kind === 'ClusterRole' || object.kind === 'Role'
/** Runs do without it. */
const isOptional = ({ metadata: { annotations } }: AnyObject): boolean =>
  annotations?.[optionalAnnotation] !== undefined

const rightsIn = (objects: AnyObject[]): Right[] =>
  objects
    .filter(isRole)
    .flatMap((role) => role.rules.flatMap((rule) => rule.verbs.map((verb) => ({ role, rule, verb }))))

const without = (roles: RoleObject[], { role, rule, verb }: Right): RoleObject[] =>
  roles.map((each) =>
    each === role
      ? {
          ...each,
          rules: each.rules.flatMap((other) => {
            const verbs = other === rule ? other.verbs.filter((word) => word !== verb) : other.verbs
            return verbs.length === 0 ? [] : [{ ...other, verbs }]
          }),
        }
      : each,
  )

const bindingOf = ({ kind, metadata }: RoleObject, user: string): AnyObject => ({
  apiVersion: `${GROUP}/v1`,
  kind: `${kind}Binding`,
  metadata: {
    name: `${metadata.name}-${user.replaceAll(':', '-')}`,
    ...(metadata.namespace && { namespace: metadata.namespace }),
  },
  roleRef: { apiGroup: GROUP, kind, name: metadata.name },
  subjects: [{ apiGroup: GROUP, kind: 'User', name: user }],
})

const possible = clusterTestsPossible().possible

describe.skipIf(!possible)('printed rights', () => {
  let cluster: ControlPlane

  beforeAll(async () => {
    cluster = await startControlPlane({ scenario: 'healthy', pace: PACE })
  })
  afterAll(async () => cluster?.stop())

  const as = (user: string, rest: Partial<ChangeRequest> = {}): ChangeRequest => ({
    ...changeRequest(cluster),
    connection: { kubeconfig: cluster.kubeconfig, as: user },
    ...rest,
  })
  const up =
    (options: { tier: Tier; holdStorage?: boolean }): Run =>
    async (request) =>
      upgrade(request, {
        to: 'v0.2.0',
        releases: cluster.releases,
        conflicts: 'keep',
        dryRun: false,
        lateWriteSeconds: 1,
        ...options,
      })
  const back: Run = async (request) => rollback(request, { dryRun: false })

  const printed = async (run: Run): Promise<AnyObject[]> => {
    const result = await run({ ...changeRequest(cluster), printRbac: { user: DEPLOYER } })
    if (result.outcome !== 'rights') throw new Error(result.outcome)
    return result.report.objects.filter((object) => !isOptional(object))
  }
  const apply = async (objects: AnyObject[]): Promise<void> => {
    for (const object of objects) await cluster.client.apply(object)
  }
  /** A dry run changes nothing, and a review is a question. */
  const writesOf = (user: string): AuditEvent[] =>
    cluster.auditEvents(
      ({ impersonatedUser, requestURI }) =>
        impersonatedUser?.username === user &&
        !requestURI.includes('dryRun=All') &&
        !requestURI.includes('/selfsubjectaccessreviews'),
    )
  const mayNow = async (user: string, { role, rule, verb }: Right): Promise<boolean> => {
    const [resource = '', subresource] = (rule.resources[0] ?? '').split('/')
    const review = await cluster.client.create<AnyObject>({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: { name: '' },
      spec: {
        user,
        resourceAttributes: {
          verb,
          group: rule.apiGroups[0],
          resource,
          subresource,
          namespace: role.metadata.namespace,
          name: rule.resourceNames?.[0],
        },
      },
    })
    return (review['status'] as { allowed: boolean }).allowed
  }
  const granted = async (user: string, objects: AnyObject[]): Promise<void> => {
    const [last] = rightsIn(objects).toReversed()
    if (last !== undefined) await eventually(async () => mayNow(user, last))
  }

  /** Tries the run once without each right, a few at once; gives what was not refused, and what was written all the same. */
  const triedWithout = async (run: Run, objects: AnyObject[], tried: Set<string>): Promise<string[]> => {
    const roles = objects.filter(isRole)
    await apply(objects.filter(({ kind }) => kind === 'Namespace'))
    const missing = rightsIn(objects).filter((right) => !tried.has(textOf(right)))
    for (const right of missing) tried.add(textOf(right))
    const users = new Map(missing.map((right, index) => [`without-${tried.size}-${index}`, right]))
    await Promise.all(
      [...users].map(async ([user, right]) => {
        for (const role of without(roles, right)) {
          const own = { ...role, metadata: { ...role.metadata, name: `${role.metadata.name}-${user}` } }
          await apply([own, bindingOf(own, user)])
        }
      }),
    )
    await Promise.all(
      [...users].map(async ([user, right]) => {
        const [other] = rightsIn(roles)
          .filter((each) => textOf(each) !== textOf(right))
          .toReversed()
        if (other !== undefined) await eventually(async () => mayNow(user, other))
      }),
    )
    const queue = [...users]
    const odd: string[] = []
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [user, right] = next
        const thrown = await run(as(user)).catch((error: unknown) => error)
        const refused =
          (thrown instanceof Refusal && thrown.kind === 'blocked') ||
          (thrown instanceof Error && 'code' in thrown && thrown.code === 403)
        if (!refused) odd.push(`${textOf(right)}: ${thrown instanceof Error ? thrown.message : 'it ran'}`)
        if (writesOf(user).length > 0) odd.push(`${textOf(right)}: it wrote ${writesOf(user)[0]?.requestURI}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    return odd
  }

  /** The run succeeds with them, and asked for nothing that they do not allow. */
  const suffices = async (run: Run, objects: AnyObject[]): Promise<void> => {
    await apply(objects)
    await granted(DEPLOYER, objects)
    const before = writesOf(DEPLOYER).length
    const result = await run(as(DEPLOYER))
    expect(result.outcome).toBe('ran')
    const denied = writesOf(DEPLOYER)
      .slice(before)
      .filter(({ responseStatus }) => responseStatus?.code === 403)
    expect(denied.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([])
    for (const object of objects.filter(({ kind }) => kind !== 'Namespace').toReversed())
      await cluster.client.delete({
        apiVersion: object.apiVersion,
        kind: object.kind,
        name: object.metadata.name,
        ...(object.metadata.namespace && { namespace: object.metadata.namespace }),
      })
  }
  const tried = new Set<string>()

  test('of an upgrade, each one: without it nothing is written', async () => {
    // With all that the last steps need, which move stored objects.
    for (const tier of ['in-place', 'standby'] as const) {
      const rights = await printed(up({ tier }))
      expect(rightsIn(rights).length).toBeGreaterThan(40)
      expect(await triedWithout(up({ tier }), rights, tried)).toEqual([])
    }
  }, 300_000)

  test('are enough for an upgrade in place, and for going back from it', async () => {
    const held = up({ tier: 'in-place', holdStorage: true })
    await suffices(held, await printed(held))
    const rights = await printed(back)
    expect(await triedWithout(back, rights, tried)).toEqual([])
    await suffices(back, rights)
  }, 300_000)

  /** Stops the run as soon as a step of this name has begun. */
  const stoppingAt = (title: string, stop: AbortController): Progress => ({
    task: (name) => {
      if (name.includes(title)) stop.abort()
      return { update: () => undefined, done: () => undefined, fail: () => undefined }
    },
  })

  test('are enough for an upgrade with a standby, and for aborting it half-way', async () => {
    const objects = await printed(up({ tier: 'standby' }))
    await apply(objects)
    await granted(DEPLOYER, objects)
    const stop = new AbortController()
    const request = as(DEPLOYER, { progress: stoppingAt('Update CRDs', stop), signal: stop.signal })
    const stopped = await up({ tier: 'standby' })(request).catch((error: unknown) => error)
    expect(stopped).toMatchObject({ kind: 'interrupted' })
    const aborting: Run = async (each) => abort(each, { dryRun: false })
    await suffices(aborting, await printed(aborting))
    await suffices(up({ tier: 'standby' }), await printed(up({ tier: 'standby' })))
  }, 300_000)
})
