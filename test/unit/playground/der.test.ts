import { describe, expect, it } from 'vitest'
import { integer, objectIdentifier, octetString, time } from '../../../src/playground/der.ts'

describe('DER', () => {
  const table: [what: string, actual: Buffer, hex: string][] = [
    ['zero', integer(0), '020100'],
    ['a small integer', integer(127), '02017f'],
    ['an integer whose first bit is set', integer(128), '02020080'],
    ['an integer with needless zeros', integer(Buffer.from('000001', 'hex')), '020101'],
    ['an identifier with large arcs', objectIdentifier('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
    ['a short length', octetString(Buffer.alloc(127)).subarray(0, 2), '047f'],
    ['a length of one byte', octetString(Buffer.alloc(200)).subarray(0, 3), '0481c8'],
    ['a length of two bytes', octetString(Buffer.alloc(300)).subarray(0, 4), '0482012c'],
    [
      'a time before 2050',
      time(new Date('2049-12-31T23:59:59Z')),
      `170d${Buffer.from('491231235959Z').toString('hex')}`,
    ],
    [
      'a time from 2050 on',
      time(new Date('2050-01-01T00:00:00Z')),
      `180f${Buffer.from('20500101000000Z').toString('hex')}`,
    ],
  ]
  it.each(table)('encodes %s', (_, actual, hex) => {
    expect(actual.toString('hex')).toBe(hex)
  })
})
