import { describe, expect, test } from 'vitest'
import type { KubernetesObject } from '../../../src/kubernetes/objects.ts'
import { type DenialOptions, denialsOf } from '../../../src/migration/denials.ts'
import { Candidates } from '../../../src/migration/denials-candidates.ts'
import { stage } from '../kubernetes/story.ts'
import type { Answer } from '../kubernetes/tls-server.ts'
import { definition, stored, target, version } from './survey-definitions.ts'

const widget = (name: string, namespace = 'a', more: Partial<KubernetesObject['metadata']> = {}): KubernetesObject => ({
  apiVersion: 'example.com/v1beta1',
  kind: 'Widget',
  metadata: { name, namespace, ...more },
})
const widgets = (count: number, namespace = 'a'): KubernetesObject[] =>
  Array.from({ length: count }, (_, index) => widget(`${namespace}${index}`, namespace))

describe('the sample', () => {
  const terminating = widget('t', 'a', { deletionTimestamp: '2026-11-22T10:00:00Z' })
  const paused = widget('p', 'a', { annotations: { 'example.com/paused': 'true' } })
  test.each<[string, number, KubernetesObject[][], string[]]>([
    ['all of few', 20, [widgets(3)], ['a0', 'a1', 'a2']],
    ['spread over the list', 4, [widgets(100)], ['a0', 'a25', 'a50', 'a75']],
    [
      'spread over pages',
      4,
      [
        widgets(50),
        widgets(50, 'a').map((each, index) => ({ ...each, metadata: { ...each.metadata, name: `b${index}` } })),
      ],
      ['a0', 'a25', 'b0', 'b25'],
    ],
    [
      'one of each namespace, and others',
      4,
      [[...widgets(30), widget('x', 'x'), widget('y', 'y')]],
      ['a0', 'x', 'a8', 'a16'],
    ],
    [
      'each a namespace of its own, where there is nothing else',
      3,
      [['a', 'b', 'c', 'd'].map((name) => widget(name, name))],
      ['a', 'b', 'd'],
    ],
    ['all that is terminating or paused besides', 1, [[...widgets(10), terminating, paused]], ['t', 'p', 'a0']],
    ['these only, where no sample is wanted', 0, [[...widgets(10), terminating]], ['t']],
    ['nothing of nothing', 20, [[]], []],
  ])('has %s', (_title, size, pages, names) => {
    const candidates = new Candidates(size, 'example.com/paused')
    const total = pages.flat().length
    for (const page of pages) candidates.see(page, total)
    expect(candidates.chosen().map(({ name }) => name)).toEqual(names)
  })

  test('grows neither with the objects nor with their namespaces', () => {
    const candidates = new Candidates(20)
    for (let page = 0; page < 10; page++) {
      candidates.see(
        Array.from({ length: 500 }, (_, index) => widget(`w${index}`, `n${page}-${index}`)),
        5000,
      )
    }
    expect(candidates.chosen()).toHaveLength(20)
  })
})

describe('the dry runs', () => {
  const { start } = stage()
  const status = (code: number, message: string, more: object = {}): Answer => ({
    status: code,
    body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code, ...more },
  })
  const denied = (webhook: string) =>
    status(403, `admission webhook "${webhook}" denied the request: no`, { reason: 'Forbidden' })
  const withStatus = definition({
    versions: [version('v1alpha1'), version('v1beta1', { ...stored, subresources: { status: {} } })],
  })

  /** What a server says of ten objects, answering patches as told. */
  const ask = async (
    answer: (name: string, subresource: string | undefined) => Answer,
    options: DenialOptions = {},
  ) => {
    let [now, most] = [0, 0]
    const four = Promise.withResolvers<void>()
    const { client, server } = await start(async ({ method, url }) => {
      if (method === 'GET' && url.pathname.endsWith('/v1beta1')) {
        return { body: { resources: [{ name: 'widgets', kind: 'Widget', namespaced: true }] } }
      }
      if (method === 'GET') return { body: { items: widgets(10), metadata: {} } }
      most = Math.max(most, ++now)
      // Nobody is answered before four are waiting.
      if (now === Math.min(4, options.sample ?? 4)) four.resolve()
      await four.promise
      now--
      const [, , , , , , , name = '', subresource] = url.pathname.split('/')
      return answer(name, subresource)
    })
    const report = await denialsOf(client, target(withStatus), options)
    return { report, most, patches: server.requests.filter(({ method }) => method === 'PATCH') }
  }

  test('are empty merge patches that ask for metadata', async () => {
    const { report, patches, most } = await ask(() => ({}))
    expect(report).toEqual({
      definition: 'widgets.example.com',
      objects: 10,
      checked: 10,
      accepted: 10,
      gone: 0,
      groups: [],
      unanswered: [],
      stopped: false,
    })
    expect(
      new Set(patches.map(({ url, body, headers }) => `${url.search} ${body} ${headers['content-type']}`)),
    ).toEqual(new Set(['?dryRun=All {} application/merge-patch+json']))
    expect(patches.every(({ headers }) => headers.accept?.includes('PartialObjectMetadata'))).toBe(true)
    expect(most).toBe(4)
  })

  test.each<[string, (name: string, subresource: string | undefined) => Answer, unknown]>([
    [
      'a webhook that is not registered for /status',
      (_name, subresource) => (subresource === 'status' ? {} : denied('deny.example.com')),
      { accepted: 0, groups: [{ cause: 'webhook', subject: 'deny.example.com', objects: 10, throughStatus: 10 }] },
    ],
    [
      'two webhooks, and one that holds for some',
      (name) => denied(name < 'a3' ? 'few.example.com' : 'many.example.com'),
      {
        groups: [
          { subject: 'many.example.com', objects: 7, throughStatus: 0 },
          { subject: 'few.example.com', objects: 3, throughStatus: 0 },
        ],
      },
    ],
    [
      'the schema, for which /status is no way round',
      (name, subresource) =>
        name === 'a1' && !subresource
          ? status(422, 'Widget is invalid', { reason: 'Invalid', details: { causes: [{ field: 'spec.size' }] } })
          : {},
      {
        accepted: 9,
        groups: [
          {
            cause: 'schema',
            subject: 'spec.size',
            objects: 1,
            throughStatus: 0,
            examples: [{ namespace: 'a', name: 'a1' }],
          },
        ],
      },
    ],
    [
      'a webhook that answers no dry run: nobody knows',
      (name) => (name === 'a1' ? status(400, 'admission webhook "old.example.com" does not support dry run') : {}),
      { accepted: 9, groups: [], unanswered: [{ webhook: 'old.example.com', objects: 1, examples: [{ name: 'a1' }] }] },
    ],
    [
      'an object that is gone',
      (name) => (name === 'a1' ? status(404, 'widgets.example.com "a1" not found') : {}),
      { accepted: 9, gone: 1, groups: [] },
    ],
    [
      'a conflict, which is no refusal',
      () => status(409, 'the object has been modified'),
      { accepted: 10, groups: [] },
    ],
  ])('tell %s', async (_title, answer, expected) => {
    expect((await ask(answer)).report).toMatchObject({ checked: 10, stopped: false, ...(expected as object) })
  })

  test('stop where the user may not write at all', async () => {
    const { report, patches } = await ask(() =>
      status(
        403,
        'widgets.example.com "a0" is forbidden: User "me" cannot patch resource "widgets" in API group "example.com" in the namespace "a"',
      ),
    )
    expect(report).toMatchObject({
      stopped: true,
      groups: [{ cause: 'forbidden', subject: 'patch widgets.example.com' }],
    })
    expect(patches.length).toBeLessThanOrEqual(4)
  })

  test('are tried three times where the server stumbles', async () => {
    const { report, patches } = await ask((name) => (name === 'a1' ? status(500, 'etcd leader changed') : {}))
    expect(report.groups).toMatchObject([{ cause: 'server', objects: 1 }])
    expect(patches.filter(({ url }) => url.pathname.endsWith('/a1'))).toHaveLength(3)
  })

  test('go through all objects where that is wanted', async () => {
    expect((await ask(() => ({}), { all: true })).report).toMatchObject({ objects: 10, checked: 10 })
    expect((await ask(() => ({}), { sample: 3 })).report).toMatchObject({ objects: 10, checked: 3 })
  })
})
