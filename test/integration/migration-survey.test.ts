/** What is looked at before a migration, on a real API server: what the unit tests take for granted of its answers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KubernetesClient } from '../../src/kubernetes/client.types.ts'
import { connect } from '../../src/kubernetes/connect.ts'
import type { AnyObject, CustomResourceDefinition } from '../../src/kubernetes/objects.ts'
import { denialsOf } from '../../src/migration/denials.ts'
import { storageFlip } from '../../src/migration/flip-time.ts'
import { lossesOf } from '../../src/migration/losses.ts'
import type { MigrationTarget } from '../../src/migration/migration.types.ts'
import { missingRights, requiredRights, rightText } from '../../src/migration/rights.ts'
import { survey } from '../../src/migration/survey.ts'
import type { DefinitionSurvey, LostValue } from '../../src/migration/survey.types.ts'
import { type ControlPlane, clusterTestsPossible, eventually, startControlPlane } from '../support/control-plane.ts'
import { withoutConflict } from '../support/without-conflict.ts'

const { possible, reason } = clusterTestsPossible()
if (!possible) process.stderr.write(`the cluster tests of the survey are skipped: ${reason}\n`)

const group = 'survey.example.com'
const definitionKind = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
const string = { type: 'string' }
const object = (properties: Record<string, unknown>) => ({ type: 'object', properties })
type Fields = Record<string, Record<string, unknown>>
const bothSizes: Fields = {
  v1alpha1: { size: string, colour: { ...string, default: 'red' } },
  v1beta1: { size: string, shape: string },
}
const spare = object({ spec: object({ size: string }) })

describe.skipIf(!possible)('before a migration', () => {
  let cluster: ControlPlane
  let client: KubernetesClient
  beforeAll(async () => {
    cluster = await startControlPlane({ nodes: [] })
    client = cluster.client
    for (const name of ['a', 'b']) await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  })
  afterAll(() => cluster?.stop())

  /** A kind of its own for each test, stored in v1alpha1; the API server serves both versions. */
  const kind = async (plural: string, fields: Fields = bothSizes) => {
    const name = `${plural}.${group}`
    const crd: CustomResourceDefinition = {
      ...definitionKind,
      metadata: { name },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural, kind: plural.toUpperCase() },
        versions: Object.entries(fields).map(([version, spec]) => ({
          name: version,
          served: true,
          storage: version === 'v1alpha1',
          subresources: { status: {} },
          schema: { openAPIV3Schema: object({ spec: object(spec), status: object({}) }) },
        })),
      },
    }
    await client.create(crd)
    const read = () => client.get<CustomResourceDefinition>({ ...definitionKind, name })
    const change = (edit: (found: CustomResourceDefinition) => void) =>
      withoutConflict(async () => {
        const found = await read()
        edit(found)
        await client.replace(found)
      })
    await eventually(async () =>
      (await read()).status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True'),
    )
    const widget = (
      version: string,
      namespace: string,
      widgetName: string,
      spec: Record<string, unknown>,
    ): AnyObject => ({
      apiVersion: `${group}/${version}`,
      kind: plural.toUpperCase(),
      metadata: { name: widgetName, namespace },
      spec,
    })
    const write = (...parts: Parameters<typeof widget>) =>
      eventually(() => client.create(widget(...parts), { fieldManager: 'a-writer' }))
    const at = (version: string, namespace: string, widgetName: string) =>
      client.get({ apiVersion: `${group}/${version}`, kind: plural.toUpperCase(), namespace, name: widgetName })
    const flip = (to = 'v1beta1') =>
      change(({ spec }) => {
        for (const version of spec.versions) version.storage = version.name === to
      })
    return { name, plural, change, read, write, at, flip }
  }
  type Kind = Awaited<ReturnType<typeof kind>>

  /** The survey of one kind by somebody. */
  const look = async ({ name }: Kind, by: KubernetesClient = client): Promise<DefinitionSurvey> => {
    const [found] = (await survey(by, [name])).definitions
    if (found === undefined) throw new Error('nothing was surveyed')
    return found
  }
  const targetOf = async (some: Kind): Promise<MigrationTarget> => {
    const { target } = await look(some)
    if (target === undefined) throw new Error('it has no target')
    return target
  }

  test('says what is stored, who wrote it, and what it will take, with few requests', async () => {
    const widgets = await kind('widgets')
    for (let index = 0; index < 12; index++) await widgets.write('v1alpha1', 'a', `w${index}`, { size: 'l' })
    await widgets.flip()
    await widgets.write('v1beta1', 'b', 'w', { size: 'l' })
    const reads: string[] = []
    const own = await connect(
      { kubeconfig: cluster.kubeconfig },
      { env: {}, recorder: { record: ({ method, path }) => void reads.push(`${method} ${path}`) } },
    )
    const { serverTime, definitions } = await survey(own, [widgets.name, `none.${group}`])
    await own.close()
    const [found, none] = definitions
    expect(found).toMatchObject({
      needed: true,
      storageVersion: 'v1beta1',
      storedVersions: ['v1alpha1', 'v1beta1'],
      objects: 13,
      looked: 13,
      users: [{ version: 'v1alpha1', users: [{ manager: 'a-writer', via: 'managedFields', objects: 12 }] }],
      blockers: [],
      missingRights: [],
      target: { requestVersion: 'v1beta1', generation: 2, statusSubresource: true },
    })
    expect(found?.target?.flippedAt).toBeUndefined()
    expect(none?.blockers).toMatchObject([{ kind: 'not-found' }])
    expect(Math.abs(Date.parse(serverTime ?? '') - Date.now())).toBeLessThan(60_000)
    expect(reads.length).toBeLessThanOrEqual(6)
    const all = await survey(client, 'all')
    expect(all.definitions.filter(({ needed }) => needed).map(({ definition }) => definition)).toContain(widgets.name)
  })

  test('knows the flip by managedFields: the versions are one field, and changing it moves the time on', async () => {
    const flips = await kind('flips')
    const before = Date.now()
    await flips.change(({ spec }) => {
      spec.names.shortNames = ['fl']
    })
    await flips.flip()
    const crd = await flips.read()
    const owners = (crd.metadata.managedFields ?? []).filter(({ fieldsV1 }) =>
      JSON.stringify(fieldsV1).includes('f:versions'),
    )
    expect(
      owners.map(({ fieldsV1 }) => (fieldsV1?.['f:spec'] as Record<string, unknown> | undefined)?.['f:versions']),
    ).toEqual([{}])
    const later = Date.now() + 3_600_000
    const flip = storageFlip(crd, { server: later, local: later })
    // Whole seconds, as the API server writes them.
    expect(Date.parse(flip?.at ?? '')).toBeGreaterThanOrEqual(Math.floor(before / 1000) * 1000)
    expect(flip?.source).toBe('managedFields')
  })

  test('finds just the values that a rewrite drops', async () => {
    const losers = await kind('losers')
    await losers.write('v1alpha1', 'a', 'blue', { size: 'l', colour: 'blue' })
    await losers.write('v1alpha1', 'a', 'red', { size: 'l' })
    await losers.write('v1alpha1', 'b', 'written-since', { colour: 'green' })
    await losers.flip()
    // Until the server has the flip, writes go to the old version.
    await eventually(async () => {
      await client.patch(
        { apiVersion: `${group}/v1beta1`, kind: 'LOSERS', namespace: 'b', name: 'written-since' },
        { spec: { shape: `s${Math.random()}` } },
        { type: 'merge' },
      )
      const { spec } = (await losers.at('v1alpha1', 'b', 'written-since')) as { spec?: { colour?: string } }
      return spec?.colour === undefined
    })
    const crd = await losers.read()
    const target = await targetOf(losers)
    const kept: LostValue[] = []
    const report = await lossesOf(client, crd, target, { keep: (value) => void kept.push(value) })
    expect(report).toMatchObject({
      checked: [{ version: 'v1alpha1', objects: 3 }],
      fields: [{ path: 'spec.colour', objects: 1, defaults: 1, examples: [{ namespace: 'a', name: 'blue' }] }],
      unchecked: [],
    })
    expect(kept).toMatchObject([
      { namespace: 'a', name: 'blue', path: ['spec', 'colour'], value: 'blue', isDefault: false },
      { namespace: 'a', name: 'red', path: ['spec', 'colour'], value: 'red', isDefault: true },
    ])

    // After a rewrite all of it is gone, the default too, and there is nothing left to lose.
    for (const name of ['blue', 'red']) {
      await client.patch(
        { apiVersion: `${group}/v1beta1`, kind: 'LOSERS', namespace: 'a', name },
        {},
        { type: 'merge' },
      )
      expect((await losers.at('v1alpha1', 'a', name))['spec']).toEqual({ size: 'l' })
    }
    expect((await lossesOf(client, crd, target)).fields).toEqual([])
  })

  test('says that a storage version which is not served loses fields, and it does', async () => {
    const unserved = await kind('unserved')
    await unserved.flip()
    await eventually(async () => {
      await unserved.write('v1beta1', 'a', 'w', { size: 'l', shape: 'round' })
      return true
    })
    await unserved.change(({ spec }) => {
      for (const version of spec.versions) version.served = version.name === 'v1alpha1'
    })
    const target = await targetOf(unserved)
    expect(target).toMatchObject({ requestVersion: 'v1alpha1', storageVersion: 'v1beta1' })
    const { unchecked } = await lossesOf(client, await unserved.read(), target)
    expect(unchecked).toMatchObject([{ version: 'v1beta1', fields: ['spec.shape'] }])
    const ref = { apiVersion: `${group}/v1alpha1`, kind: 'UNSERVED', namespace: 'a', name: 'w' }
    await client.patch(ref, {}, { type: 'merge' })
    await unserved.change(({ spec }) => {
      for (const version of spec.versions) version.served = true
    })
    const spec = await eventually(async () => (await unserved.at('v1beta1', 'a', 'w'))['spec'])
    expect(spec).toEqual({ size: 'l' })
  })

  test('hears from a policy and a webhook that is away, and writes nothing', async () => {
    const denied = await kind('denied')
    for (const name of ['w1', 'w2', 'w3']) await denied.write('v1alpha1', 'a', name, { size: 'l' })
    const ref = { apiVersion: `${group}/v1beta1`, kind: 'DENIED', namespace: 'a', name: 'w3' }
    await client.patch(ref, { metadata: { finalizers: ['example.com/held'] } }, { type: 'merge' })
    await client.delete(ref)
    await denied.flip()
    const rules = [{ apiGroups: [group], apiVersions: ['*'], operations: ['UPDATE'], resources: ['denied'] }]
    const registration = 'admissionregistration.k8s.io/v1'
    await client.create({
      apiVersion: registration,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'no-second' },
      spec: {
        matchConstraints: { resourceRules: rules },
        validations: [{ expression: "object.metadata.name != 'w2'", message: 'not the second' }],
      },
    })
    await client.create({
      apiVersion: registration,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'no-second' },
      spec: { policyName: 'no-second', validationActions: ['Deny'] },
    })
    const target = await targetOf(denied)
    const report = await eventually(async () => {
      const found = await denialsOf(client, target)
      return found.groups.length > 0 && found
    })
    expect(report).toMatchObject({
      objects: 3,
      checked: 3,
      accepted: 2,
      groups: [{ cause: 'policy', subject: 'no-second', objects: 1, throughStatus: 1, examples: [{ name: 'w2' }] }],
    })
    await client.create({
      apiVersion: registration,
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'away' },
      webhooks: [
        {
          name: 'away.example.com',
          clientConfig: { service: { namespace: 'a', name: 'none' } },
          rules,
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    })
    const away = await eventually(async () => {
      const found = await denialsOf(client, target, { all: true })
      return found.groups.some(({ cause }) => cause === 'webhook') && found
    })
    await client.delete({ apiVersion: registration, kind: 'ValidatingWebhookConfiguration', name: 'away' })
    expect(away.groups.find(({ cause }) => cause === 'webhook')).toMatchObject({ subject: 'away.example.com' })
    expect(away).toMatchObject({ checked: 3, accepted: 0 })
    const patches = cluster.auditEvents(({ verb, objectRef }) => verb === 'patch' && objectRef?.resource === 'denied')
    expect(patches.filter(({ requestURI }) => !requestURI.includes('dryRun=All'))).toHaveLength(1)
  })

  test('names the version that an unreadable object is stored in', async () => {
    const lost = await kind('lost')
    await lost.write('v1alpha1', 'a', 'w', { size: 'l' })
    await lost.flip()
    const status = { status: { storedVersions: ['v1beta1'] } }
    await client.patch({ ...definitionKind, name: lost.name }, status, { type: 'merge', subresource: 'status' })
    await lost.change(({ spec }) => {
      spec.versions = spec.versions.filter(({ name }) => name !== 'v1alpha1')
    })
    const found = await eventually(async () => {
      const seen = await look(lost)
      return seen.blockers.length > 0 && seen
    })
    expect(found.needed).toBe(false)
    expect(found.objects).toBeUndefined()
    expect(found.blockers).toMatchObject([{ kind: 'unreadable', versions: ['v1alpha1'] }])
    await lost.change(({ spec }) => {
      spec.versions.push({ name: 'v1alpha1', served: false, storage: false, schema: { openAPIV3Schema: spare } })
    })
    await eventually(async () => (await look(lost)).blockers.length === 0)
  })

  test('says of a conversion webhook what it lacks', async () => {
    const converted = await kind('converted')
    await converted.write('v1alpha1', 'a', 'w', { size: 'l' })
    await converted.change(({ spec }) => {
      const clientConfig = { service: { namespace: 'a', name: 'converter', path: '/convert' } }
      spec.conversion = { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } }
    })
    await converted.flip()
    const blockers = await eventually(async () => {
      const found = await look(converted)
      return found.blockers.length === 3 && found.blockers
    })
    expect(blockers).toMatchObject([
      { kind: 'conversion-webhook', why: expect.stringContaining('caBundle') },
      { kind: 'conversion-webhook', why: 'there is no Service a/converter' },
      { kind: 'unavailable', why: expect.stringContaining('conversion webhook for') },
    ])
    await client.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'a', name: 'converter' },
      spec: { selector: { app: 'none' }, ports: [{ port: 443 }] },
    })
    expect((await look(converted)).blockers.map(({ why }) => why)).toContain(
      'no pod behind the Service a/converter is ready',
    )
  })

  test('names the rights that somebody lacks, and asks for no more than are used', async () => {
    const guarded = await kind('guarded')
    await guarded.write('v1alpha1', 'a', 'w', { size: 'l' })
    await guarded.flip()
    const target = await targetOf(guarded)
    const rights = requiredRights(target)
    const user = await connect({ kubeconfig: await cluster.kubeconfigFor({ name: 'migrator' }) }, { env: {} })
    try {
      expect((await missingRights(user, rights)).map(({ request }) => rightText(request))).toEqual([
        `list guarded.${group}`,
        `get guarded.${group}`,
        `patch guarded.${group}`,
        `get customresourcedefinitions.apiextensions.k8s.io ${guarded.name}`,
        `list customresourcedefinitions.apiextensions.k8s.io ${guarded.name}`,
        `watch customresourcedefinitions.apiextensions.k8s.io ${guarded.name}`,
        `patch customresourcedefinitions.apiextensions.k8s.io/status ${guarded.name}`,
        `patch guarded.${group}/status`,
      ])
      expect((await look(guarded, user)).blockers).toMatchObject([{ kind: 'forbidden' }])
      await grant('migrator', guarded)
      await eventually(async () => (await missingRights(user, rights)).length === 1)
      // Without the right that is left over: the way through /status.
      expect(await look(guarded, user)).toMatchObject({ objects: 1, blockers: [], missingRights: [{ optional: true }] })
      expect(await denialsOf(user, target)).toMatchObject({ checked: 1, accepted: 1, stopped: false })
      const named = { ...definitionKind, fieldSelector: `metadata.name=${guarded.name}` }
      expect(await user.list(named)).toHaveLength(1)
    } finally {
      await user.close()
    }
  })

  /** Just what is required, by the name of the definition. */
  const grant = async (name: string, { plural, name: definition }: Kind): Promise<void> => {
    await client.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules: [
        { apiGroups: [group], resources: [plural], verbs: ['list', 'get', 'patch'] },
        {
          apiGroups: ['apiextensions.k8s.io'],
          resources: ['customresourcedefinitions'],
          resourceNames: [definition],
          verbs: ['get', 'list', 'watch'],
        },
        {
          apiGroups: ['apiextensions.k8s.io'],
          resources: ['customresourcedefinitions/status'],
          resourceNames: [definition],
          verbs: ['patch'],
        },
      ],
    })
    await client.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
    })
  }
})
