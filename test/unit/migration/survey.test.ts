import { describe, expect, test } from 'vitest'
import type { CustomResourceDefinition, KubernetesObject } from '../../../src/kubernetes/objects.ts'
import { requiredRights, rightText } from '../../../src/migration/rights.ts'
import { estimateOf, type SurveyOptions, survey } from '../../../src/migration/survey.ts'
import { stage } from '../kubernetes/story.ts'
import type { Answer, Seen } from '../kubernetes/tls-server.ts'
import { definition, stored, target, version } from './survey-definitions.ts'

test.each([
  // Nothing is stored: what is waited for is the last write under the old version.
  [0, 0, { requests: 22, seconds: 34 }],
  [0, 3600, { requests: 22, seconds: 0 }],
  [2000, 3600, { requests: 4028, seconds: 15 }],
  [2000, 20, { requests: 4028, seconds: 19 }],
  [2000, 0, { requests: 4028, seconds: 39 }],
  [50_000, 0, { requests: 100_220, seconds: 375 }],
  [501, 3600, { requests: 1026, seconds: 4 }],
])('%i objects, %i s after the flip, take %o', (objects, sinceFlip, expected) => {
  expect(estimateOf(objects, sinceFlip)).toEqual(expected)
})

describe('the rights of a migration', () => {
  test('are no create, update or delete', () => {
    expect(requiredRights(target(definition())).map(({ request }) => rightText(request))).toEqual([
      'list widgets.example.com',
      'get widgets.example.com',
      'patch widgets.example.com',
      'get customresourcedefinitions.apiextensions.k8s.io widgets.example.com',
      'list customresourcedefinitions.apiextensions.k8s.io widgets.example.com',
      'watch customresourcedefinitions.apiextensions.k8s.io widgets.example.com',
      'patch customresourcedefinitions.apiextensions.k8s.io/status widgets.example.com',
    ])
  })

  test('has /status where there is one, and does without', () => {
    const crd = definition({
      versions: [version('v1alpha1'), version('v1beta1', { ...stored, subresources: { status: {} } })],
    })
    expect(
      requiredRights(target(crd))
        .filter(({ optional }) => optional)
        .map(({ request }) => rightText(request)),
    ).toEqual(['patch widgets.example.com/status'])
  })
})

describe('a survey', () => {
  const { start } = stage()
  const root = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

  interface Server {
    crds?: CustomResourceDefinition[]
    objects?: number
    /** verbs and resources that are not allowed */
    denied?: string[]
    list?: (seen: Seen) => Answer | undefined
    date?: string | undefined
  }
  const item = (index: number): KubernetesObject => ({
    apiVersion: 'meta.k8s.io/v1',
    kind: 'PartialObjectMetadata',
    metadata: {
      name: `w${index}`,
      namespace: 'a',
      managedFields: [
        { manager: index % 2 ? 'argocd' : 'kubectl', apiVersion: `example.com/${index % 2 ? 'v1alpha1' : 'v1beta1'}` },
      ],
    },
  })
  const page = (url: URL, objects: number): Answer => {
    const limit = Number(url.searchParams.get('limit'))
    const from = Number(url.searchParams.get('continue') ?? 0)
    const items = Array.from({ length: Math.min(limit, objects - from) }, (_, index) => item(from + index))
    const rest = objects - from - items.length
    const more = rest > 0 ? { continue: String(from + items.length), remainingItemCount: rest } : {}
    return { body: { items, metadata: { resourceVersion: '9', ...more } } }
  }
  const answer = (server: Server, seen: Seen): Answer => {
    const { url } = seen
    const { crds = [definition()], denied = [] } = server
    if (url.pathname === '/version') return { headers: { date: server.date ?? 'Sun, 22 Nov 2026 10:00:00 GMT' } }
    if (url.pathname.endsWith('selfsubjectaccessreviews')) {
      const { verb, resource } = (JSON.parse(seen.body) as { spec: { resourceAttributes: Record<string, string> } })
        .spec.resourceAttributes
      const allowed = denied.length === 0 || (verb !== '*' && !denied.includes(`${verb} ${resource}`))
      return { status: 201, body: { status: { allowed } } }
    }
    if (url.pathname === root) return { body: { items: crds, metadata: {} } }
    const crd = crds.find(({ metadata }) => url.pathname === `${root}/${metadata.name}`)
    if (crd) return { body: crd }
    if (/^\/apis\/example.com\/v1\w+$/.test(url.pathname))
      return { body: { resources: [{ name: 'widgets', kind: 'Widget', namespaced: true }] } }
    if (url.pathname.endsWith('/widgets')) return server.list?.(seen) ?? page(url, server.objects ?? 0)
    return { status: 404, body: { kind: 'Status', code: 404, reason: 'NotFound', message: 'not found' } }
  }
  const look = async (
    server: Server,
    wanted: string[] | 'all' = ['widgets.example.com'],
    options: SurveyOptions = {},
  ) => {
    const story = await start((seen) => answer(server, seen))
    const found = await survey(story.client, wanted, { now: () => Date.parse('2026-11-22T10:00:07Z'), ...options })
    return { found, first: found.definitions[0], requests: story.server.requests }
  }

  test('counts by the first page, and takes who writes from it', async () => {
    const { first, requests } = await look({ objects: 1201 })
    expect(first).toMatchObject({
      objects: 1201,
      looked: 500,
      users: [
        { version: 'v1alpha1', users: [{ manager: 'argocd', via: 'managedFields', objects: 250, example: 'a/w1' }] },
      ],
      estimate: { requests: 2428 },
      blockers: [],
    })
    expect(requests.length).toBeLessThanOrEqual(8)
    expect(requests.every(({ method, url }) => method === 'GET' || url.pathname.endsWith('reviews'))).toBe(true)
  })

  test('looks at all of them when asked, in few requests', async () => {
    const { first, requests } = await look({ objects: 5000 }, undefined, { allObjects: true })
    expect(first).toMatchObject({ objects: 5000, looked: 5000, users: [{ users: [{ objects: 2500 }] }] })
    expect(requests.length).toBeLessThanOrEqual(20)
  })

  test('of all definitions looks at those that need it', async () => {
    const current = definition({ storedVersions: ['v1beta1'] })
    current.metadata.name = 'gadgets.example.com'
    const { found, requests } = await look({ crds: [current, definition()], objects: 3 }, 'all')
    expect(found.definitions.map(({ definition: name, needed, objects }) => [name, needed, objects])).toEqual([
      ['gadgets.example.com', false, undefined],
      ['widgets.example.com', true, 3],
    ])
    expect(requests.some(({ url }) => url.pathname.endsWith('/gadgets'))).toBe(false)
  })

  test('asks for rights before it lists, and does not list without', async () => {
    const { first, requests } = await look({ objects: 3, denied: ['list widgets', 'watch customresourcedefinitions'] })
    expect(first?.missingRights.map(({ request }) => rightText(request))).toEqual([
      'list widgets.example.com',
      'watch customresourcedefinitions.apiextensions.k8s.io widgets.example.com',
    ])
    expect(first?.objects).toBeUndefined()
    expect(requests.some(({ url }) => url.pathname.endsWith('/widgets'))).toBe(false)
  })

  test('tells the flip by our clock, seven seconds ahead of the server', async () => {
    const managedFields = [
      { manager: 'kubectl', time: '2026-11-22T09:00:00Z', fieldsV1: { 'f:spec': { 'f:versions': {} } } },
    ]
    const { found, first } = await look({ crds: [definition({ managedFields })], objects: 200 })
    expect(found.serverTime).toBe('2026-11-22T10:00:00.000Z')
    expect(first?.target?.flippedAt).toBe('2026-11-22T09:00:07.000Z')
    expect(first?.estimate?.seconds).toBe(2)
  })

  test('takes no time from managedFields where the server tells none of its own', async () => {
    const managedFields = [
      { manager: 'kubectl', time: '2026-11-22T09:00:00Z', fieldsV1: { 'f:spec': { 'f:versions': {} } } },
    ]
    const { found, first } = await look({ crds: [definition({ managedFields })], date: 'none' })
    expect(found.serverTime).toBeUndefined()
    expect(first?.target).toBeDefined()
    expect(first?.target?.flippedAt).toBeUndefined()
  })

  const failure = (code: number, message: string): Answer => ({ status: code, body: { kind: 'Status', code, message } })
  test.each<[string, Answer, string]>([
    [
      'an object in a version that is gone',
      failure(500, 'request to convert CR from an invalid group/version: example.com/v1alpha0'),
      'unreadable',
    ],
    [
      'a webhook that fails',
      failure(500, 'conversion webhook for example.com/v1alpha1, Kind=Widget failed: Post "https://x": refused'),
      'unavailable',
    ],
    ['a right that was taken away meanwhile', failure(403, 'widgets.example.com is forbidden'), 'forbidden'],
  ])('is blocked by %s', async (_title, list, kind) => {
    const { first } = await look({ list: () => list })
    expect(first?.blockers.map((blocker) => blocker.kind)).toEqual([kind])
    expect(first?.estimate).toBeUndefined()
  })

  test('tells a definition that is not there, and goes on', async () => {
    const { found } = await look({ objects: 1 }, ['none.example.com', 'widgets.example.com'])
    expect(found.definitions.map(({ definition: name, blockers }) => [name, blockers.map(({ kind }) => kind)])).toEqual(
      [
        ['widgets.example.com', []],
        ['none.example.com', ['not-found']],
      ],
    )
  })
})
