/** One pass over all objects: what it counts, what it lists, who ends it. */
import { describe, expect, test } from 'vitest'
import type { PassPlace, PassResult } from '../../../src/migration/migration.types.ts'
import type { PassOptions } from '../../../src/migration/pass.types.ts'
import { type Fault, status } from './pass-server.ts'
import { isPatchOf, passStage, patches, times } from './pass-stage.ts'

const on = passStage()

describe('what it counts is what happened', () => {
  test('old objects are rewritten, current ones are not, and a second pass finds nothing', async () => {
    on.server.fill(700, 'v1alpha1', 'a').fill(500, 'v1', 'b')
    const places: PassPlace[] = []
    const first = await on.run({ onPlace: (place) => void places.push(place) })
    expect(first).toMatchObject({ rewritten: 700, unchanged: 500, gone: 0, failed: 0, requests: 1203 })
    expect(on.server.in('v1alpha1')).toEqual([])
    expect(on.server.asked).toHaveLength(1203)
    expect(places.map((place) => [place.continue, place.counts.rewritten + place.counts.unchanged])).toEqual([
      ['a-00499', 500],
      ['b-00299', 1000],
    ])
    const revisions = JSON.stringify([...on.server.objects])
    expect(await on.run()).toMatchObject({ rewritten: 0, unchanged: 1200 })
    expect(JSON.stringify([...on.server.objects])).toBe(revisions)
  })

  test('how far it is: each object is either done or left', async () => {
    on.server.fill(620, 'v1alpha1', 'a')
    const told: number[] = []
    let now = 0
    // Each look at the clock is later than the last one that was told.
    await on.run({
      now: () => (now += 300),
      onProgress: ({ done, left = Number.NaN }) => void told.push(done + left),
    })
    expect(told.length).toBeGreaterThan(100)
    expect(new Set(told)).toEqual(new Set([620]))
  })

  test('no objects', async () => {
    expect(await on.run()).toMatchObject({ rewritten: 0, unchanged: 0, requests: 1 })
  })

  test.each([
    ['nothing', {}],
    ['something else', { error: 'log in first' }],
    ['no list', null],
  ])('an answer with %s in it is no empty list', async (_, body) => {
    on.server.fill(3, 'v1alpha1')
    on.server.fault = ({ name }) => (name === undefined ? { status: 200, body } : undefined)
    await expect(on.run()).rejects.toMatchObject({ reason: 'InvalidAnswer' })
    expect(on.server.in('v1alpha1')).toHaveLength(3)
  })

  test('an answer to a write that is no object proves nothing', async () => {
    on.server.fill(3, 'v1')
    on.server.fault = ({ name }) => (name === undefined ? undefined : { status: 200, body: '<html>log in</html>' })
    await expect(on.run()).rejects.toMatchObject({ reason: 'InvalidAnswer' })
  })

  test.each<[string, string, Partial<PassResult>]>([
    ['current', 'v1', { rewritten: 0, unchanged: 1 }],
    ['old', 'v1alpha1', { rewritten: 1, unchanged: 0 }],
  ])('somebody wrote between our look and our write, and left %s bytes', async (_, version, expected) => {
    on.server.write('w', 'v1alpha1')
    let done = false
    on.server.fault = (asked, by) => {
      if (patches(asked) && !done) {
        done = true
        by.write('w', version)
      }
      return undefined
    }
    expect(await on.run()).toMatchObject({ ...expected, failed: 0 })
    expect(on.server.in('v1')).toEqual(['w'])
  })

  test('an object that is written all the time is written in the end', async () => {
    on.server.write('w', 'v1alpha1')
    on.server.fault = (asked, by) => {
      if (patches(asked)) by.write('w', 'v1alpha1')
      return undefined
    }
    expect(await on.run()).toMatchObject({ rewritten: 1, failed: 0 })
    expect(on.server.in('v1')).toEqual(['w'])
  })

  test('deleted meanwhile', async () => {
    on.server.fill(3, 'v1alpha1')
    on.server.fault = (asked, by) => {
      if (patches(asked)) by.objects.delete('w-00001')
      return undefined
    }
    expect(await on.run()).toMatchObject({ rewritten: 2, gone: 1, failed: 0 })
  })

  test.each<[string, Fault, string, Partial<PassResult>]>([
    ['it had been carried out', () => 'carried out and lost', 'v1alpha1', { rewritten: 1, unchanged: 0 }],
    ['it had not', () => 'lost', 'v1alpha1', { rewritten: 1, unchanged: 0 }],
    ['there was nothing to do', () => 'carried out and lost', 'v1', { rewritten: 0, unchanged: 1 }],
    ['the server failed', () => status(504, 'request did not complete'), 'v1', { rewritten: 0, unchanged: 1 }],
  ])('the answer to a write was lost: %s', async (_, fault, version, expected) => {
    on.server.write('w', version)
    on.server.fault = times(1, (asked, by) => (patches(asked) ? fault(asked, by) : undefined))
    expect(await on.run()).toMatchObject({ ...expected, failed: 0 })
    expect(on.server.in('v1')).toEqual(['w'])
  })
})

describe('the list', () => {
  test('a token that has expired is exchanged', async () => {
    on.server.fill(1200, 'v1alpha1')
    on.server.fault = times(1, ({ query }) =>
      query.has('continue') ? status(410, 'too old', {}, { metadata: { continue: 'w-00499' } }) : undefined,
    )
    expect(await on.run()).toMatchObject({ rewritten: 1200, failed: 0 })
  })

  test('one that cannot be exchanged: anew, and what was rewritten stays counted', async () => {
    on.server.fill(1200, 'v1alpha1')
    on.server.fault = times(1, ({ query }) =>
      query.get('continue') === 'w-00999' ? status(410, 'too old') : undefined,
    )
    const result = await on.run()
    expect(result.rewritten).toBe(1200)
    expect(result.unchanged).toBeGreaterThanOrEqual(500)
    expect(on.server.in('v1alpha1')).toEqual([])
  })

  test('is never more than two pages ahead of the verdicts', async () => {
    on.server.fill(2500, 'v1')
    const open: number[] = []
    let listed = 0
    on.server.fault = (asked) => {
      if (asked.name === undefined) {
        open.push(listed - on.server.count(patches))
        listed += 500
      }
      return undefined
    }
    await on.run()
    expect(open).toHaveLength(5)
    expect(Math.max(...open)).toBeLessThanOrEqual(500)
    expect(Math.max(...open)).toBeGreaterThan(100)
  })
})

describe('managers in versions that go', () => {
  const stale = [{ manager: 'flux', operation: 'Apply' as const, apiVersion: 'bench.example/v1alpha1', fieldsV1: {} }]

  test('are renamed in the same write, also after somebody else wrote', async () => {
    on.server.fill(3, 'v1alpha1')
    on.server.write('x', 'v1alpha1', stale)
    on.server.write('y', 'v1', stale)
    let done = false
    on.server.fault = (asked, by) => {
      if (isPatchOf(asked, 'x') && !done) {
        done = true
        by.write('x', 'v1alpha1', structuredClone(stale))
      }
      return undefined
    }
    expect(await on.run({ staleVersions: ['v1alpha1'] })).toMatchObject({ rewritten: 5, managersMoved: 2, failed: 0 })
    for (const name of ['x', 'y']) {
      expect(on.server.objects.get(name)).toMatchObject({
        version: 'v1',
        managedFields: [{ apiVersion: 'bench.example/v1' }],
      })
    }
    expect(await on.run()).toMatchObject({ rewritten: 0, unchanged: 5 })
  })

  test('are not counted where the write went through /status, which leaves them as they are', async () => {
    on.server.write('x', 'v1alpha1', stale)
    on.server.fault = (asked) =>
      patches(asked) && !asked.subresource ? status(403, 'admission webhook "v" denied the request: no') : undefined
    expect(await on.run({ staleVersions: ['v1alpha1'] })).toMatchObject({ throughStatus: 1, managersMoved: 0 })
  })

  test('the storage version is not among them', async () => {
    await expect(async () => on.run({ staleVersions: ['v1'] })).rejects.toThrow('cannot be stale')
  })
})

describe('managers in versions that may be renamed', () => {
  const old = () => [
    { manager: 'flux', operation: 'Apply' as const, apiVersion: 'bench.example/v1alpha1', fieldsV1: {} },
  ]
  const write = (count: number, version: string, prefix: string) => {
    for (let index = 0; index < count; index++)
      on.server.write(`${prefix}-${String(index).padStart(4, '0')}`, version, old())
  }
  const named = (version: string) =>
    [...on.server.objects.values()].filter(({ managedFields }) => managedFields?.[0]?.apiVersion?.endsWith(version))
  const options = { renamableVersions: ['v1alpha1'], limits: { maxInFlight: 4 } }

  test('are renamed once a later write has turned out to be old, page by page', async () => {
    write(1200, 'v1alpha1', 'w')
    const result = await on.run(options)
    expect(result).toMatchObject({ rewritten: 1200, failed: 0 })
    // Of each page, those that were on their way before the first answer.
    expect(result.managersMoved).toBeGreaterThan(1200 - 3 * 8)
    expect(named('v1')).toHaveLength(result.managersMoved)
    expect(await on.run()).toMatchObject({ rewritten: 0, unchanged: 1200 })
  })

  test('stay in objects that are current: none of them is written', async () => {
    write(300, 'v1alpha1', 'w')
    // Between the others by name, after them by time.
    write(150, 'v1', 'v')
    write(150, 'v1', 'x')
    expect(await on.run(options)).toMatchObject({ rewritten: 300, unchanged: 300, failed: 0 })
    const current = [...on.server.objects].filter(([name]) => !name.startsWith('w'))
    for (const [, { managedFields }] of current) expect(managedFields).toEqual(old())
  })

  test('are left as they are where a webhook lets nothing pass but what changes nothing', async () => {
    write(100, 'v1alpha1', 'w')
    on.server.fault = (asked) =>
      Array.isArray(asked.body) ? status(403, 'admission webhook "v" denied the request: changed') : undefined
    expect(await on.run(options)).toMatchObject({ rewritten: 100, failed: 0, managersMoved: 0, throughStatus: 0 })
    expect(named('v1alpha1')).toHaveLength(100)
  })

  test('are left as they are where somebody else writes the object all the time', async () => {
    write(30, 'v1alpha1', 'w')
    on.server.fault = (asked, by) => {
      if (isPatchOf(asked, 'w-0003')) by.write('w-0003', 'v1alpha1', old())
      return undefined
    }
    expect(await on.run(options)).toMatchObject({ rewritten: 30, failed: 0 })
    expect(on.server.in('v1alpha1')).toEqual([])
  })

  test('the storage version is not among them', async () => {
    await expect(async () => on.run({ renamableVersions: ['v1'] })).rejects.toThrow('cannot be stale')
  })
})

describe('who ends it', () => {
  test('a signal: nothing is sent after, and the next pass finds the rest', async () => {
    on.server.fill(400, 'v1alpha1')
    const controller = new AbortController()
    on.server.fault = () => {
      if (on.server.asked.length === 100) controller.abort(new Error('enough'))
      return undefined
    }
    await expect(on.run({ signal: controller.signal })).rejects.toThrow('enough')
    const asked = on.server.asked.length
    expect(asked).toBeLessThan(140)
    const rest = on.server.in('v1alpha1').length
    expect(on.server.asked).toHaveLength(asked)
    expect(await on.run()).toMatchObject({ rewritten: rest, unchanged: 400 - rest })
  })

  test.each<[string, Partial<PassOptions>]>([
    [
      'the lock is lost',
      {
        before: () => {
          throw new Error('lost')
        },
      },
    ],
    ['a place cannot be saved', { onPlace: () => Promise.reject(new Error('lost')) }],
  ])('%s', async (_, options) => {
    on.server.fill(600, 'v1alpha1')
    await expect(on.run(options)).rejects.toThrow('lost')
  })
})
