import { describe, expect, test } from 'vitest'
import { numberAt, pointsIn, seedFrom, sizesOf } from '../../torture/migration-points.ts'

const moved = { definition: 'widgets.example.com', objects: 2 }
const definition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com'
const record = { method: 'PUT', path: '/api/v1/namespaces/records/secrets/run-1' }
const flip = { method: 'PUT', path: definition }
const trim = { method: 'PATCH', path: `${definition}/status` }
const object = { method: 'PATCH', path: '/apis/example.com/v1/namespaces/default/widgets/w-1' }

describe('parts of a migration', () => {
  const writes = [record, record, flip, record, object, record, object, record, object, object, record, trim, record]

  test('each write is in one, by those before it', () => {
    expect(Object.fromEntries(sizesOf(writes, moved))).toEqual({
      begun: 2,
      flip: 1,
      noted: 1,
      rewrite: 2,
      place: 1,
      rewritten: 1,
      proof: 2,
      proved: 1,
      trim: 1,
      recorded: 1,
    })
  })

  test.each([
    ['begun', 0, 1],
    ['begun', 0.49, 1],
    ['begun', 0.5, 2],
    ['begun', 0.99, 2],
    ['trim', 0.99, 1],
    ['place', 0.99, 1],
  ] as const)('a point of %s at %d is its write %i', (part, share, number) => {
    expect(numberAt({ part, share, when: 'after' }, sizesOf(writes, moved))).toBe(number)
  })

  test('a part that there is not is no place to be killed at', () => {
    expect(() => numberAt({ part: 'flip', share: 0, when: 'after' }, new Map())).toThrow('"flip"')
  })
})

test.each([1, 2, 77])('points (seed %i) are the same for the same seed, spread, before and after', (seed) => {
  const points = pointsIn({ rewrite: 4, trim: 2 }, seed)
  expect(pointsIn({ rewrite: 4, trim: 2 }, seed)).toEqual(points)
  expect(points.map(({ part, share }) => [part, Math.floor(share * (part === 'trim' ? 2 : 4))])).toEqual([
    ['rewrite', 0],
    ['rewrite', 1],
    ['rewrite', 2],
    ['rewrite', 3],
    ['trim', 0],
    ['trim', 1],
  ])
  expect(new Set(points.slice(4).map(({ when }) => when)).size).toBe(2)
  expect(pointsIn({ rewrite: 4, trim: 2 }, seed + 1)).not.toEqual(points)
})

test('a seed is a number', () => {
  expect(seedFrom('77')).toBe(77)
  expect(() => seedFrom('x')).toThrow('no seed')
})
