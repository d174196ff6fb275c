/** Comparisons of releases in a series, and what is said of them. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { renderComparison } from '../../../src/report/render-crd.ts'
import { crdCheck } from '../../../src/services/crd-check.ts'
import { crdDiff } from '../../../src/services/crd-diff.ts'
import { foldersIn } from '../../../src/services/crd-files.ts'
import { crdNext } from '../../../src/services/crd-next.ts'
import { schemaErrors } from '../../support/schemas.ts'
import { crd, type Files, found, newFiles, request, text } from './crd-requests.ts'

let folder: string
let file: Files['file']
let remove: Files['remove']
beforeAll(() => {
  ;({ folder, file, remove } = newFiles())
})
afterAll(() => remove())

describe('a series of releases', () => {
  const series = (name: string, deprecated: number): string => {
    for (let release = 0; release < 5; release += 1) {
      const old = crd(text)
      const versions = old.spec.versions.map((version) => ({
        ...version,
        name: 'v1alpha1',
        storage: false,
        deprecated: release >= deprecated,
      }))
      file(`${name}/v1.${release}.0/crd.json`, {
        ...old,
        spec: { ...old.spec, versions: [...old.spec.versions, ...versions] },
      })
    }
    file(`${name}-next/crd.json`, crd(text))
    return join(folder, name)
  }
  const ids = async (name: string, history: string[]) =>
    (
      await found(join(folder, name, 'v1.4.0'), join(folder, `${name}-next`), {
        profile: 'ngf',
        history,
        release: 'v1.5.0',
      })
    )
      .map((line) => line.split(' ')[1])
      .filter((id) => id?.startsWith('ngf.'))

  test('the candidate of a release comes before it', async () => {
    for (const name of ['v1.10.0', 'v1.9.0', 'v1.9.0-rc.2', 'v1.9.0-rc.10']) file(`candidates/${name}/crd.json`, '')
    expect(await foldersIn(join(folder, 'candidates'))).toEqual(['v1.9.0-rc.2', 'v1.9.0-rc.10', 'v1.9.0', 'v1.10.0'])
  })

  test('a folder of folders is its history, oldest first', async () => {
    const long = series('long', 2)
    const late = series('late', 4)
    const [inTime, tooSoon] = [await ids('long', [long]), await ids('late', [late])]
    expect(inTime).not.toEqual(tooSoon)
    // those of the series that come later count for nothing
    for (const later of ['v1.5.0', 'v1.10.0']) file(`late/${later}/crd.json`, crd(text))
    expect(await ids('late', [late])).toEqual(tooSoon)
    // one after the other, each under its name, they are the same history
    const each = [0, 1, 2, 3, 4].map((release) => `v1.${release}.0=${join(late, `v1.${release}.0`)}`)
    expect(await ids('late', each)).toEqual(tooSoon)
  })
})

describe('reports', () => {
  test('are the same bytes from run to run, whatever the order of keys and files', async () => {
    const reversed = (value: unknown): unknown =>
      typeof value !== 'object' || value === null || Array.isArray(value)
        ? value
        : Object.fromEntries(
            Object.entries(value)
              .toReversed()
              .map(([key, entry]) => [key, reversed(entry)]),
          )
    const before = crd({ ...text, x: { type: 'object', properties: { p: { type: 'string' }, q: { type: 'string' } } } })
    const after = crd({ ...text, y: { type: 'string', default: 'z', enum: ['z', 'w'] } })
    const texts: string[] = []
    for (const change of [(value: unknown) => value, (value: unknown) => value, reversed]) {
      const [old, now] = [file('same/old.json', change(before)), file('same/new.json', change(after))]
      texts.push(renderComparison(await crdCheck(request(old, now)), 'json'))
    }
    expect(texts[1]).toBe(texts[0])
    expect(texts[2]).toBe(texts[0])
    expect(schemaErrors(texts[0] ?? '')).toEqual([])
    expect(JSON.parse(texts[0] ?? '')).toHaveProperty(['sameVersionValidation', 'v1', '^.spec.x'])
  })

  test('differences and advice fit their schemas', async () => {
    const old = file('docs/old.json', crd({ ...text, b: { type: 'string' } }))
    const wanted = file('docs/new.json', crd(text), crd(text, { plural: 'others' }))
    const difference = await crdDiff(request(old, wanted))
    expect(schemaErrors(JSON.stringify(difference))).toEqual([])
    expect(difference).toMatchObject({
      changes: 2,
      definitions: [{ changes: [{ path: '^.spec.b' }] }, { changes: [] }],
    })
    const advice = await crdNext({ ...request(old, wanted), profile: 'ngf', nextRelease: 'v1.4.0' })
    expect(schemaErrors(JSON.stringify(advice))).toEqual([])
    expect(advice.advice[0]?.parts[0]?.release).toBe('v1.4.0')
    expect(advice.unpaired).toEqual([{ name: 'others.example.io', presence: 'added' }])
  })
})
