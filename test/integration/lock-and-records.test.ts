/** The lock and the records on a real API server: two processes, a dead one, and a journal that somebody else goes on with. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lock, LockHeld } from '../../src/journal/lock.ts'
import {
  beginRun,
  ensureRecordNamespace,
  JournalLost,
  listRuns,
  openRun,
  planOf,
  pruneRuns,
  readKept,
} from '../../src/journal/records.ts'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import { ConnectionError } from '../../src/kubernetes/errors.ts'
import type { Lease } from '../../src/kubernetes/objects.ts'
import { sealed } from '../../src/plan/hash.ts'
import { type ControlPlane, clusterTestsPossible, startControlPlane } from '../support/control-plane.ts'

const plan = sealed({
  kind: 'upgrade',
  product: 'kubeairunway',
  from: 'v0.1.0',
  to: 'v0.2.0',
  source: 'test',
  tier: 'in-place',
  tierReason: 'test',
  components: [],
  notes: [],
  wayBack: { possible: true },
  steps: [],
})
const head = { by: 'tester', now: new Date('2026-11-22T12:00:00Z') }
const reference = (namespace: string) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  namespace,
  name: 'run-lock',
})

describe.skipIf(!clusterTestsPossible().possible)('records', () => {
  let cluster: ControlPlane

  beforeAll(async () => {
    cluster = await startControlPlane()
  })
  afterAll(async () => cluster?.stop())

  /** A namespace of its own for each test. */
  const fresh = async (): Promise<string> => {
    const namespace = `runs-${randomBytes(4).toString('hex')}`
    await ensureRecordNamespace(cluster.client, namespace)
    return namespace
  }

  test('the second process is told who holds the lock; once given back it is free at once', async () => {
    const namespace = await fresh()
    const first = await Lock.acquire(cluster.client, namespace)
    const refused = await Lock.acquire(cluster.client, namespace).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(LockHeld)
    expect((refused as LockHeld).holder).toBe(first.identity)
    await first.release()
    const second = await Lock.acquire(cluster.client, namespace)
    await second.release()
  })

  test('an expired lock is taken over only after it was watched, and not from a holder whose clock is behind', async () => {
    const namespace = await fresh()
    const holder = await Lock.acquire(cluster.client, namespace)
    const later = () => new Date(Date.now() + 120_000)
    const told: string[] = []
    const options = { now: later, requestLimitMs: 1500, onTakeOver: (by: string) => told.push(by) }
    const renewing = (async () => {
      const live = await cluster.client.get<Lease>(reference(namespace))
      await cluster.client.replace({
        ...live,
        spec: { ...live.spec, renewTime: new Date().toISOString().replace('Z', '000Z') },
      })
    })()
    await renewing
    const live = await cluster.client.get<Lease>(reference(namespace))
    const taking = Lock.acquire(cluster.client, namespace, options)
    await cluster.client.replace({ ...live, spec: { ...live.spec, leaseTransitions: 7 } })
    await expect(taking).rejects.toBeInstanceOf(LockHeld)
    const taken = await Lock.acquire(cluster.client, namespace, options)
    expect(told).toEqual([holder.identity, holder.identity])
    expect((await cluster.client.get<Lease>(reference(namespace))).spec?.holderIdentity).toBe(taken.identity)
    await holder.release()
    expect((await cluster.client.get<Lease>(reference(namespace))).spec?.holderIdentity).toBe(taken.identity)
    await taken.release()
  })

  test('a journal survives being opened again, and is lost to whoever writes it first', async () => {
    const namespace = await fresh()
    const journal = await beginRun(cluster.client, namespace, plan, head)
    await journal.append({ at: head.now.toISOString(), step: '01', event: 'intent' })
    const other = await openRun(cluster.client, namespace, 1)
    await other.append({ at: head.now.toISOString(), step: '01', event: 'done' })
    await expect(
      journal.append({ at: head.now.toISOString(), step: '01', event: 'done', detail: { a: 1 } }),
    ).rejects.toBeInstanceOf(JournalLost)
    const again = await openRun(cluster.client, namespace, 1)
    expect(again.entries.map(({ event }) => event)).toEqual(['intent', 'done'])
    expect(await planOf(cluster.client, namespace, 1)).toEqual(plan)
    expect((await listRuns(cluster.client, namespace))[0]).toMatchObject({
      number: 1,
      state: 'running',
      planHash: plan.hash,
    })
  })

  /** The server acts, and its answer does not arrive. */
  const losingAnswers = (client: KubernetesClient): KubernetesClient =>
    new Proxy(client, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return async (...given: unknown[]): Promise<unknown> => {
          const answer: unknown = await Reflect.apply(value, target, given)
          if (name === 'replace')
            throw new ConnectionError({ code: 'ECONNRESET', server: cluster.server, message: 'connection reset' })
          return answer
        }
      },
    })

  test('why a run once stopped is forgotten when it goes on, and not before', async () => {
    const namespace = await fresh()
    const journal = await beginRun(cluster.client, namespace, plan, head)
    await journal.settle({ state: 'interrupted', reason: 'by the user' })
    expect(journal.summary).toMatchObject({ state: 'interrupted', reason: 'by the user' })
    await journal.append({ at: head.now.toISOString(), step: '01', event: 'intent' }, { state: 'running' })
    expect(journal.summary).toMatchObject({ state: 'running' })
    expect(journal.summary).not.toHaveProperty('reason')
  })

  test('a write of the journal whose answer is lost is found to have landed', async () => {
    const namespace = await fresh()
    await beginRun(cluster.client, namespace, plan, head)
    const journal = await openRun(losingAnswers(cluster.client), namespace, 1)
    await journal.append({ at: head.now.toISOString(), step: '01', event: 'intent' })
    await journal.append({ at: head.now.toISOString(), step: '01', event: 'done' })
    expect((await openRun(cluster.client, namespace, 1)).entries.map(({ event }) => event)).toEqual(['intent', 'done'])
  })

  test('a lock is given back although somebody has written its Lease in between', async () => {
    const namespace = await fresh()
    const lock = await Lock.acquire(cluster.client, namespace)
    await cluster.client.patch(reference(namespace), { metadata: { labels: { touched: 'yes' } } }, { type: 'merge' })
    await lock.release()
    expect((await cluster.client.get<Lease>(reference(namespace))).spec?.holderIdentity).toBeFalsy()
  })

  test('a value of several parts comes back whole, or not at all', async () => {
    const namespace = await fresh()
    const journal = await beginRun(cluster.client, namespace, plan, head)
    const value = { text: randomBytes(2 * 1024 * 1024).toString('base64') }
    await journal.keep('backup', value)
    expect(await readKept(cluster.client, namespace, 1, 'backup')).toEqual(value)
    await journal.keep('backup', { text: 'again' })
    expect(await readKept(cluster.client, namespace, 1, 'backup')).toEqual({ text: 'again' })
    await journal.keep('backup', value)
    await cluster.client.delete({ apiVersion: 'v1', kind: 'Secret', namespace, name: 'run-1-backup-1' })
    expect(await readKept(cluster.client, namespace, 1, 'backup')).toBeUndefined()
  })

  test('what a deleted journal left behind is no back-up of the next run', async () => {
    const namespace = await fresh()
    await (await beginRun(cluster.client, namespace, plan, head)).keep('backup', { of: 'the first' })
    await cluster.client.delete({ apiVersion: 'v1', kind: 'Secret', namespace, name: 'run-1' })
    const next = await beginRun(cluster.client, namespace, plan, head)
    expect(next.summary.number).toBe(1)
    expect(await next.kept('backup')).toBeUndefined()
  })

  test('a damaged record is named, and nothing is made of it', async () => {
    const namespace = await fresh()
    await beginRun(cluster.client, namespace, plan, head)
    const record = { apiVersion: 'v1', kind: 'Secret', namespace, name: 'run-1' }
    await cluster.client.patch(record, { data: { journal: 'AAAA' } }, { type: 'merge' })
    await expect(openRun(cluster.client, namespace, 1)).rejects.toThrow('The record run-1 is damaged.')
    await cluster.client.patch(
      record,
      { metadata: { annotations: { 'cli.airunway.ai/summary': '{' } } },
      { type: 'merge' },
    )
    await expect(listRuns(cluster.client, namespace)).rejects.toThrow('The record run-1 is damaged.')
  })

  test('a holder that was stopped past its lease notices before it writes', async () => {
    const namespace = await fresh()
    let ahead = 0
    const lock = await Lock.acquire(cluster.client, namespace, { now: () => new Date(Date.now() + ahead) })
    lock.check()
    ahead = 31_000
    expect(() => lock.check()).toThrow(LockHeld)
    expect(lock.lost.aborted).toBe(true)
    await lock.release()
  })

  test('the newest ten runs are kept, with all their records', async () => {
    const namespace = await fresh()
    for (let number = 1; number <= 12; number++) {
      const journal = await beginRun(cluster.client, namespace, plan, head)
      await journal.settle({ state: 'succeeded' })
    }
    expect(await pruneRuns(cluster.client, namespace)).toEqual([2, 1])
    const secrets = await cluster.client.list({ apiVersion: 'v1', kind: 'Secret', namespace })
    expect(secrets.filter(({ metadata }) => /^run-[12](-|$)/.test(metadata.name))).toEqual([])
    expect((await listRuns(cluster.client, namespace)).map(({ number }) => number)).toEqual([
      12, 11, 10, 9, 8, 7, 6, 5, 4, 3,
    ])
  })
})
