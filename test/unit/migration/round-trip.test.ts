import { describe, expect, test } from 'vitest'
import type { AnyObject } from '../../../src/kubernetes/objects.ts'
import { lostFields, type RoundTripOptions, tryRoundTrip } from '../../../src/migration/round-trip.ts'
import { stage } from '../kubernetes/story.ts'
import { type Answer, type Handler, type Seen, status } from '../kubernetes/tls-server.ts'
import { definition, object, stored, string, target, version } from './survey-definitions.ts'

const list = (items: Record<string, unknown>) => ({ type: 'array', items })
const alpha = {
  size: string,
  colour: { ...string, default: 'red' },
  ports: list(object({ name: string, number: { type: 'integer' } })),
  labels: { type: 'object', additionalProperties: string },
}
const crd = definition({
  versions: [version('v1alpha1', {}, alpha), version('v1beta1', stored, { size: string })],
  conversion: { strategy: 'Webhook' },
})
type Spec = Record<string, unknown>

const widget = (spec: Spec, metadata: Partial<AnyObject['metadata']> = {}): AnyObject => ({
  apiVersion: 'example.com/v1alpha1',
  kind: 'Widget',
  metadata: { name: 'w', namespace: 'team', uid: 'u', generation: 1, ...metadata },
  spec,
})

describe('what is lost', () => {
  const schema = { type: 'object', properties: { spec: object(alpha) } }
  test.each<[string, Spec, Spec, string[]]>([
    ['nothing', { size: 'l' }, { size: 'l' }, []],
    ['a field', { size: 'l', ports: [{ name: 'a' }] }, { ports: [{ name: 'a' }] }, ['spec.size']],
    ['what somebody had set, though a default takes its place', { colour: 'blue' }, {}, ['spec.colour']],
    ['not a default that nobody fills in after a conversion', { colour: 'red' }, {}, []],
    ['a value that is another one', { size: 'l' }, { size: 'm' }, ['spec.size']],
    ['not what has come', {}, { size: 'm' }, []],
    ['not what says nothing', { ports: [], labels: {}, size: null }, {}, []],
    ['an item of a list', { ports: [{ name: 'a' }, { name: 'b' }] }, { ports: [{ name: 'a' }] }, ['spec.ports[*]']],
    ['a field of an item', { ports: [{ name: 'a', number: 1 }] }, { ports: [{ name: 'a' }] }, ['spec.ports[*].number']],
    ['a value of a map', { labels: { a: 'b' } }, { labels: { c: 'd' } }, ['spec.labels{*}']],
    ['a list that is none any more', { ports: [{ name: 'a' }] }, { ports: 'a' }, ['spec.ports']],
  ])('%s', (_title, before, after, fields) => {
    expect(lostFields(schema, widget(before), widget(after))).toEqual(fields)
  })

  test('an annotation or a label, not what each write changes', () => {
    const before = widget({}, { annotations: { a: 'b' }, labels: { c: 'd' }, resourceVersion: '1' })
    const after = widget({}, { labels: { c: 'e' }, resourceVersion: '2', managedFields: [] })
    expect(lostFields(schema, before, after)).toEqual(['metadata.labels.c', 'metadata.annotations.a'])
  })
})

/** An API server that stores each object in one version, and a webhook that leaves out what it is told. */
class Converting {
  readonly objects = new Map<string, { version: string; revision: number; generation: number; spec: Spec }>()
  readonly writes: string[] = []
  forgets: string[] = []
  /** asked at each write; gives an answer of its own */
  onWrite: (name: string, path: string) => Answer | undefined = () => undefined

  add(name: string, spec: Spec, storedIn = 'v1alpha1'): this {
    this.objects.set(name, { version: storedIn, revision: 10 + this.objects.size, generation: 1, spec })
    return this
  }

  readonly handler: Handler = (seen) => this.#answer(seen)

  #answer({ method, url, body }: Seen): Answer {
    const [, asked = '', name, subresource] =
      /^\/apis\/example.com\/(\w+)\/(?:namespaces\/team\/)?widgets(?:\/(\w+))?(?:\/(\w+))?$/.exec(url.pathname) ?? []
    if (name === undefined)
      return { body: { items: [...this.objects.keys()].map((each) => this.#shown(each, asked)), metadata: {} } }
    const found = this.objects.get(name)
    if (found === undefined) return status(404, 'NotFound', 'not found')
    if (method === 'PATCH') {
      this.writes.push(subresource === undefined ? name : `${name}/${subresource}`)
      const own = this.onWrite(name, url.pathname)
      if (own !== undefined) return own
      const { metadata } = JSON.parse(body) as { metadata: { resourceVersion: string } }
      if (metadata.resourceVersion !== String(found.revision)) return status(409, 'Conflict', 'conflict')
      if (found.version !== 'v1beta1') this.store(name)
    }
    return { body: this.#shown(name, asked) }
  }

  /** Written at the storage version: what the webhook forgets is gone. */
  store(name: string): void {
    const found = this.objects.get(name)
    if (found === undefined) throw new Error(`there is no ${name}`)
    const spec = Object.fromEntries(Object.entries(found.spec).filter(([field]) => !this.forgets.includes(field)))
    Object.assign(found, { version: 'v1beta1', revision: found.revision + 100, spec })
  }

  #shown(name: string, asked: string): AnyObject {
    const { revision, spec, generation } = this.objects.get(name) ?? { revision: 0, spec: {}, generation: 0 }
    const metadata = { name, uid: `u-${name}`, resourceVersion: String(revision), generation }
    return { ...widget(spec, metadata), apiVersion: `example.com/${asked}` }
  }
}

describe('the first objects', () => {
  const { start } = stage()
  const round = async (server: Converting, options: Partial<RoundTripOptions> = {}, described = crd) => {
    const { client } = await start(server.handler)
    const kept: string[][] = []
    const found = await tryRoundTrip(client, described, target(described), {
      accepted: [],
      kept: [],
      keep: async (objects) => void kept.push(objects.map(({ metadata }) => metadata.name)),
      ...options,
    })
    return { found, kept }
  }
  const ports = [{ name: 'a' }, { name: 'b' }]

  test('have most of the fields between them, and no more are written', async () => {
    const server = new Converting().add('plain', { size: 'l' }).add('full', { size: 'l', colour: 'blue' })
    for (let index = 0; index < 20; index++) server.add(`more${index}`, { size: 's' })
    server.add('listed', { ports })
    const { found, kept } = await round(server)
    expect(server.writes).toEqual(['listed', 'full'])
    expect(kept).toEqual([['listed'], ['listed', 'full']])
    expect(found).toMatchObject({ rewritten: 2, untried: [] })
    expect(found).not.toHaveProperty('lost')
  })

  test('stop at the first that loses something; it was kept before', async () => {
    const server = new Converting().add('full', { size: 'l', labels: { a: 'b' } }).add('listed', { ports })
    server.forgets = ['labels', 'ports']
    const { found, kept } = await round(server)
    expect(server.writes).toEqual(['listed'])
    expect(kept).toEqual([['listed']])
    expect(found.lost).toEqual({ namespace: 'team', name: 'listed', version: 'v1alpha1', fields: ['spec.ports'] })
  })

  test('may lose what was accepted, and nothing else', async () => {
    const server = new Converting().add('listed', { ports }).add('labelled', { labels: { a: 'b' } })
    server.forgets = ['labels', 'ports']
    const { found } = await round(server, { accepted: ['spec.ports'] })
    expect(server.writes).toEqual(['listed', 'labelled'])
    expect(found.lost).toMatchObject({ name: 'labelled', fields: ['spec.labels'] })
  })

  test('are others where these are stored in the new version already, or refused', async () => {
    const server = new Converting()
      .add('current', { size: 'l' }, 'v1beta1')
      .add('denied', { size: 'l' })
      .add('old', { size: 'l' })
    server.onWrite = (name) => (name === 'denied' ? status(403, 'Forbidden', 'no') : undefined)
    const { found } = await round(server)
    expect(found).toMatchObject({ rewritten: 1, compared: [{ name: 'old' }] })
    expect(server.writes).toEqual(['current', 'denied', 'old'])
  })

  test('that somebody writes in between say nothing', async () => {
    const server = new Converting().add('busy', { size: 'l' })
    server.forgets = ['size']
    server.onWrite = (name) => {
      const found = server.objects.get(name)
      if (found) found.revision += 1
      return undefined
    }
    expect((await round(server)).found).toMatchObject({
      rewritten: 0,
      compared: [],
      untried: ['spec', 'spec.size'],
    })
  })

  test('are compared where the answer was lost: the write that is sent again conflicts with itself', async () => {
    const server = new Converting().add('unanswered', { size: 'l', colour: 'blue' }).add('next', { size: 'l' })
    server.forgets = ['colour']
    server.onWrite = (name) => {
      server.store(name)
      return status(409, 'Conflict', 'the object has been modified')
    }
    const { found, kept } = await round(server)
    expect(found.lost).toMatchObject({ name: 'unanswered', fields: ['spec.colour'] })
    expect(server.writes).toEqual(['unanswered'])
    expect(kept).toEqual([['unanswered']])
  })

  test('go through /status where only the main endpoint refuses', async () => {
    const server = new Converting().add('guarded', { size: 'l' })
    server.onWrite = (_name, path) => (path.endsWith('/status') ? undefined : status(403, 'Forbidden', 'no'))
    const withStatus = definition({
      versions: [version('v1alpha1', {}, alpha), version('v1beta1', { ...stored, subresources: { status: {} } })],
      conversion: { strategy: 'Webhook' },
    })
    expect((await round(server, {}, withStatus)).found).toMatchObject({ rewritten: 1 })
    expect(server.writes).toEqual(['guarded', 'guarded/status'])
  })

  test('that a process has written which died before it compared are compared by the next one', async () => {
    const server = new Converting().add('first', { size: 'l', labels: { a: 'b' } }).add('second', { size: 'l' })
    server.forgets = ['labels']
    const before = widget({ size: 'l', labels: { a: 'b' } }, { name: 'first', uid: 'u-first', resourceVersion: '10' })
    server.store('first')
    const { found } = await round(server, { kept: [before] })
    expect(found.lost).toMatchObject({ name: 'first', fields: ['spec.labels'] })
    expect(server.writes).toEqual([])
  })

  test('that somebody has changed since then are not', async () => {
    const server = new Converting().add('first', { size: 'm' })
    const before = widget({ size: 'l' }, { name: 'first', uid: 'u-first', resourceVersion: '1', generation: 0 })
    const { found, kept } = await round(server, { kept: [before] })
    expect(found).not.toHaveProperty('lost')
    // It stays kept: what it has lost may still be asked for.
    expect(kept).toEqual([['first', 'first']])
  })

  test('are of each version where status is not believed', async () => {
    const server = new Converting().add('w', { size: 'l' })
    const trimmed = definition({
      versions: [version('v1alpha1', {}, alpha), version('v1beta1', stored)],
      storedVersions: ['v1beta1'],
      conversion: { strategy: 'Webhook' },
    })
    expect((await round(server, {}, trimmed)).found.rewritten).toBe(0)
    expect((await round(server, { stored: ['v1alpha1', 'v1beta1'] }, trimmed)).found.rewritten).toBe(1)
  })

  test('are none without a webhook, and none of a version that nobody can read', async () => {
    const server = new Converting().add('w', { size: 'l' })
    expect((await round(server, {}, definition())).found.rewritten).toBe(0)
    const unserved = definition({
      versions: [version('v1alpha1', { served: false }), version('v1beta1', stored)],
      conversion: { strategy: 'Webhook' },
    })
    expect((await round(server, {}, unserved)).found.rewritten).toBe(0)
    expect(server.writes).toEqual([])
  })
})
