/** A migration by somebody to whom the API server's own priority and fairness gives little. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/kubernetes/connect.ts'
import { migrateDefinition } from '../../src/migration/migrate.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { LeapingClock, MovingKind } from '../support/migrating.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of priority and fairness are skipped: ${reason}\n`)

const name = 'ordinary'
const objects = 300

describe.skipIf(!possible)('a migration by a user whom nothing exempts from priority and fairness', () => {
  let cluster: ControlPlane
  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: [] })
  })
  afterAll(() => cluster?.stop())

  /** The API server's own count, of this user's requests. */
  const metric = async (metricName: string, label: string): Promise<number> => {
    const { text } = await cluster.client.raw({ method: 'GET', path: '/metrics', accept: 'text/plain' })
    const lines = text.split('\n').filter((line) => line.startsWith(`${metricName}{`) && line.includes(label))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  /** May do everything, but no more than three requests at a time, and none that waits: the next one is refused. */
  const ordinaryUser = async (): Promise<string> => {
    const [rbac, flowControl] = ['rbac.authorization.k8s.io', 'flowcontrol.apiserver.k8s.io/v1']
    const subject = { kind: 'User', user: { name } }
    await cluster.client.create({
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: rbac, kind: 'User', name }],
    })
    await cluster.client.create({
      apiVersion: flowControl,
      kind: 'PriorityLevelConfiguration',
      metadata: { name },
      spec: {
        type: 'Limited',
        // One share of 246, of 600 requests at a time.
        limited: { nominalConcurrencyShares: 1, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } },
      },
    })
    await cluster.client.create({
      apiVersion: flowControl,
      kind: 'FlowSchema',
      metadata: { name },
      spec: {
        priorityLevelConfiguration: { name },
        matchingPrecedence: 100,
        rules: [
          {
            subjects: [subject],
            resourceRules: [
              { apiGroups: ['*'], resources: ['*'], verbs: ['*'], namespaces: ['*'], clusterScope: true },
            ],
          },
        ],
      },
    })
    await eventually(
      async () => (await metric('apiserver_flowcontrol_nominal_limit_seats', `priority_level="${name}"`)) === 3,
    )
    return cluster.kubeconfigFor({ name })
  }

  test('is refused with 429 time and again, comes back when it may, and leaves out no object', async () => {
    const kind = await (await (await new MovingKind(cluster, 'crowds').define()).write('w', objects)).flip()
    const user = await connect({ kubeconfig: await ordinaryUser() }, { env: {} })
    const { now, wait } = new LeapingClock()
    const target = await kind.target(new Date(Date.now() - 3_600_000).toISOString())

    const result = await migrateDefinition(user, target, { limits: { maxInFlight: 32 }, now, wait })
    await user.close()

    const refused = await metric('apiserver_flowcontrol_rejected_requests_total', `flow_schema="${name}"`)
    process.stderr.write(`${refused} requests were refused with 429\n`)
    expect(refused).toBeGreaterThan(0)
    expect(result).toMatchObject({
      outcome: 'migrated',
      passes: [
        { rewritten: objects, failed: 0 },
        { unchanged: objects, failed: 0 },
      ],
    })
    expect(await kind.stored()).toEqual({ v1beta1: objects })
  })
})
