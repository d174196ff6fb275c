/** What a cluster is asked, and what is told where it does not answer. A real TLS server plays the API server. */
import { describe, expect, test } from 'vitest'
import { compare } from '../../../../src/crds/comparison/compare.ts'
import type { Comparison } from '../../../../src/crds/comparison/comparison.types.ts'
import { gatherEvidence } from '../../../../src/installation/crd-evidence.ts'
import type { CustomResourceDefinition } from '../../../../src/kubernetes/objects.ts'
import { definition, object, today, version, webhook } from '../../crds/comparison/definitions.ts'
import { text } from '../../crds/comparison/schemas.ts'
import { stage } from '../../kubernetes/story.ts'
import { type Answer, type Seen, status } from '../../kubernetes/tls-server.ts'

const on = stage()
const fields = (...names: string[]) => object(Object.fromEntries(names.map((name) => [name, text])))
const two = version('v2', { spec: fields('x', 'z') })
const before = definition([version('v1', { spec: fields('x', 'y') })])
const after = definition([version('v1', { spec: fields('x') })])

const metrics = [
  '# TYPE apiserver_request_total counter',
  'apiserver_request_total{code="200",group="example.io",resource="models",verb="LIST",version="v1"} 40',
  'apiserver_request_total{code="200",group="example.io",resource="models",verb="WATCH",version="v1"} 2',
  'apiserver_request_total{code="200",group="example.io",resource="models",verb="GET",version="v2"} 7',
  'apiserver_request_total{code="200",group="other.io",resource="models",verb="GET",version="v1"} 5',
  '',
].join('\n')

const item = (name: string, spec: object = {}, manager = 'helm') => ({
  apiVersion: 'example.io/v1',
  kind: 'Model',
  metadata: { name, namespace: 'team', managedFields: [{ manager, apiVersion: 'example.io/v1' }] },
  spec,
})

/** Answers by `METHOD path`, over those of a healthy cluster. */
type Answers = Record<string, Answer | ((seen: Seen) => Answer)>

const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const models = 'GET /apis/example.io/v1/models'

function healthy(live: CustomResourceDefinition): Answers {
  const resources = [{ name: 'models', kind: 'Model', namespaced: true }]
  const crds = [{ name: 'customresourcedefinitions', kind: 'CustomResourceDefinition', namespaced: false }]
  return {
    'GET /version': { body: { major: '1', minor: '33+', gitVersion: 'v1.33.1' } },
    'GET /apis/apiextensions.k8s.io/v1': { body: { resources: crds } },
    'GET /apis/example.io/v1': { body: { resources } },
    'GET /apis/example.io/v2': { body: { resources } },
    [`GET ${crdPath}/models.example.io`]: { body: live },
    [`PUT ${crdPath}/models.example.io`]: { body: live },
    'GET /metrics': { body: metrics },
    [models]: { body: { metadata: {}, items: [item('a', { y: 'there' }), item('b')] } },
  }
}

async function gather(
  answers: Answers = {},
  definitions: { before: CustomResourceDefinition; after: CustomResourceDefinition } = { before, after },
  live = definitions.before,
): Promise<{ comparison: Comparison; asked: string[]; requests: Seen[]; progress: number[] }> {
  const all = { ...healthy(live), ...answers }
  const { server, client } = await on.start((seen) => {
    const found = all[`${seen.method} ${seen.url.pathname}`]
    return typeof found === 'function' ? found(seen) : (found ?? status(404, 'NotFound', 'not found'))
  })
  const progress: number[] = []
  const compared = compare(definitions.before, definitions.after, { profile: 'kubernetes', context: today })
  const options = { onProgress: (objects: number) => void progress.push(objects) }
  const comparison = await gatherEvidence(client, compared, definitions, options)
  const asked = server.requests.map(({ method, url }) => `${method} ${url.pathname}`)
  return { comparison, asked, requests: server.requests, progress }
}

const evidenceOf = ({ upgrade, rollback }: Comparison, id: string) =>
  [...upgrade, ...rollback].find((finding) => finding.id === id && finding.live !== undefined)?.live

const forbidden = status(403, 'Forbidden', 'models is forbidden: User "u" cannot list resource "models"')
const noPut = status(403, 'Forbidden', 'it is forbidden: User "u" cannot update resource "customresourcedefinitions"')

describe('objects', () => {
  test('a field that goes is looked for in every object', async () => {
    const { comparison, progress } = await gather()
    expect(evidenceOf(comparison, 'crd.property.removed')).toEqual({
      checked: 2,
      affected: 1,
      offenders: [{ namespace: 'team', name: 'a', field: 'spec.y', message: 'is dropped' }],
      ratchets: false,
      levelBefore: 'error',
    })
    expect(comparison.live).toEqual({
      kubernetes: '1.33',
      objects: 2,
      direction: 'upgrade',
      dryRun: { outcome: 'accepted' },
      users: [],
    })
    expect(progress).toEqual([2])
  })
  test('twenty offenders are named, all are counted', async () => {
    const items = Array.from({ length: 25 }, (_, index) => item(`m${index}`, { y: '' }))
    const { comparison } = await gather({ [models]: { body: { metadata: {}, items } } })
    const evidence = evidenceOf(comparison, 'crd.property.removed')
    expect(evidence?.affected).toBe(25)
    expect(evidence?.offenders.map(({ name }) => name)).toEqual(items.slice(0, 20).map(({ metadata }) => metadata.name))
  })
  test('a list that the server forgets in its middle is begun again, and counted once', async () => {
    let lists = 0
    const page = (seen: Seen): Answer => {
      if (!seen.url.searchParams.has('continue')) lists += 1
      else if (lists === 1) return status(410, 'Expired', 'too old')
      else return { body: { metadata: {}, items: [item('b')] } }
      return { body: { metadata: { continue: 'more' }, items: [item('a', { y: '' })] } }
    }
    const { comparison } = await gather({ [models]: page })
    expect(evidenceOf(comparison, 'crd.property.removed')).toMatchObject({ checked: 2, affected: 1 })
    expect(lists).toBe(2)
  })
  test('a list that the server always forgets is told', async () => {
    const page = (seen: Seen): Answer =>
      seen.url.searchParams.has('continue')
        ? status(410, 'Expired', 'too old')
        : { body: { metadata: { continue: 'more' }, items: [item('a')] } }
    const { comparison, asked } = await gather({ [models]: page })
    expect(comparison.live?.unread).toEqual([{ what: 'objects of models.example.io in v1', why: 'too old' }])
    expect(asked.filter((line) => line === models)).toHaveLength(6)
  })
  test('without the right to list, findings stay as they were and the reason is told', async () => {
    const { comparison } = await gather({ [models]: forbidden })
    expect(comparison.live).toMatchObject({
      objects: 0,
      unread: [{ what: 'objects of models.example.io in v1', why: expect.stringContaining('cannot list') }],
    })
    expect(evidenceOf(comparison, 'crd.property.removed')).toBeUndefined()
    expect(comparison.upgrade.map(({ level }) => level)).toContain('error')
  })
  test('objects say nothing about a release that has not written any', async () => {
    const { comparison } = await gather({}, { before: after, after: before }, after)
    expect(comparison.live?.direction).toBe('upgrade')
    expect(evidenceOf(comparison, 'crd.property.removed')).toBeUndefined()
  })
  test('on a cluster of the newer release they speak of the way back', async () => {
    const { comparison } = await gather({}, { before: after, after: before }, before)
    expect(comparison.live?.direction).toBe('rollback')
    expect(evidenceOf(comparison, 'crd.property.removed')).toMatchObject({ affected: 1 })
  })
  test('metadata alone is read where no finding is about what objects hold', async () => {
    const { requests } = await gather({}, { before, after: before })
    const list = requests.find(({ url }) => url.pathname.endsWith('/models'))
    expect(list?.headers.accept).toContain('PartialObjectMetadataList')
  })
})

describe('versions', () => {
  const both = definition([version('v1', { spec: fields('x', 'y') }), two], { conversion: webhook })
  const onlyNew = definition([{ ...two, storage: true }], { conversion: webhook })
  const list: Answers = {
    [models]: { body: { metadata: {}, items: [item('a'), item('b', {}, 'argo')] } },
    'GET /apis/example.io/v2/models': { body: { metadata: {}, items: [] } },
  }
  const going = { before: both, after: onlyNew }

  test('who uses one that goes, by what is in objects and by the metrics', async () => {
    const { comparison, asked } = await gather(list, going)
    expect(comparison.live?.users).toEqual([
      {
        version: 'v1',
        users: ['argo', 'helm'].map((manager) => ({
          manager,
          via: 'managedFields',
          objects: 1,
          example: manager === 'helm' ? 'team/a' : 'team/b',
        })),
        requests: 42,
      },
    ])
    expect(evidenceOf(comparison, 'crd.version.removed-stored')).toMatchObject({ checked: 2, affected: 2 })
    expect(asked.indexOf('GET /metrics'), 'our own reads would count').toBeLessThan(asked.indexOf(models))
  })
  test('metrics that may not be read are left out', async () => {
    const { comparison } = await gather({ ...list, 'GET /metrics': status(403, 'Forbidden', 'no') }, going)
    expect(comparison.live?.users.map((entry) => Object.keys(entry))).toEqual([['version', 'users']])
  })
  test('a version that is not served and differs from the others cannot be read', async () => {
    const hidden = { ...version('v1', { spec: fields('x', 'y') }), served: false }
    const changed = { ...version('v1', { spec: fields('x') }), served: false }
    const [old, now] = [hidden, changed].map((entry) => definition([entry, { ...two, storage: true }]))
    if (old === undefined || now === undefined) throw new Error('there are two')
    const { comparison } = await gather(list, { before: old, after: now })
    expect(comparison.live?.unread).toEqual([{ what: 'objects in v1', why: expect.stringContaining('not serve') }])
  })
})

describe('the new definition as a dry run', () => {
  const causes = [{ field: 'spec.versions', message: 'bad', reason: 'FieldValueInvalid' }]
  const webhookDenies = status(403, 'Forbidden', 'admission webhook "w" denied the request: no')
  const invalid = status(422, 'Invalid', 'it is invalid', { details: { causes } })
  test.each<[string, Answer, object]>([
    ['is taken', { body: {} }, { outcome: 'accepted' }],
    [
      'is refused',
      invalid,
      { outcome: 'refused', message: 'it is invalid', causes: [{ field: 'spec.versions', message: 'bad' }] },
    ],
    ['cannot be read', status(400, 'BadRequest', 'strange'), { outcome: 'refused', message: 'strange', causes: [] }],
    [
      'is denied by a webhook',
      webhookDenies,
      { outcome: 'refused', message: expect.stringContaining('denied'), causes: [] },
    ],
    ['may not be sent', noPut, { outcome: 'unknown', why: expect.stringContaining('cannot update') }],
    [
      'meets another writer',
      status(409, 'Conflict', 'c'),
      { outcome: 'unknown', why: expect.stringContaining('same moment') },
    ],
    ['meets a broken webhook', status(500, 'InternalError', 'i'), { outcome: 'unknown', why: 'i' }],
  ])('%s', async (_, answer, expected) => {
    const { comparison } = await gather({ [`PUT ${crdPath}/models.example.io`]: answer })
    expect(comparison.live?.dryRun).toEqual(expected)
  })
  test('takes the place of the live one, as a dry run, without a status', async () => {
    const metadata = { name: 'models.example.io', resourceVersion: '7', labels: { a: 'live' }, managedFields: [] }
    const live = { ...before, metadata, status: { storedVersions: ['v1'] } }
    const { requests } = await gather({}, { before, after: { ...after, status: { storedVersions: [] } } }, live)
    const put = requests.find(({ method }) => method === 'PUT')
    expect(Object.fromEntries(put?.url.searchParams ?? [])).toEqual({ dryRun: 'All', fieldManager: 'kubectl-airunway' })
    const { apiVersion, kind, spec } = after
    const named = { name: 'models.example.io', resourceVersion: '7', labels: { a: 'live' }, annotations: {} }
    expect(JSON.parse(put?.body ?? '')).toEqual({ apiVersion, kind, spec, metadata: named })
  })
  test('is a create where the cluster lacks it, and no finding has evidence', async () => {
    const gone = status(404, 'NotFound', 'not found')
    const { comparison, asked } = await gather({
      [`GET ${crdPath}/models.example.io`]: gone,
      [`POST ${crdPath}`]: { body: {} },
    })
    expect(asked).toContain(`POST ${crdPath}`)
    expect(comparison.live).toMatchObject({
      objects: 0,
      dryRun: { outcome: 'accepted' },
      unread: [{ why: expect.stringContaining('does not have') }],
    })
    expect(comparison.upgrade.some(({ live }) => live !== undefined)).toBe(false)
  })
})

test('without the right to read the definition everything else is told as unknown', async () => {
  const { comparison } = await gather({ [`GET ${crdPath}/models.example.io`]: status(403, 'Forbidden', 'not for you') })
  expect(comparison.live).toEqual({
    kubernetes: '1.33',
    objects: 0,
    dryRun: { outcome: 'unknown', why: 'not for you' },
    users: [],
    unread: [{ what: 'the definition models.example.io', why: 'not for you' }],
  })
})

test('a login that has ended ends it', async () => {
  await expect(gather({ [models]: status(401, 'Unauthorized', 'who') })).rejects.toMatchObject({ code: 401 })
})
