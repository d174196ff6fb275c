import { describe, expect, it } from 'vitest'
import { hasFormat } from '../../../../src/crds/decode/formats.ts'
import { goPattern } from '../../../../src/crds/decode/re2.ts'

describe('formats', () => {
  const rows: [format: string, right: string[], wrong: string[]][] = [
    ['bsonobjectid', ['507f1f77bcf86cd799439011'], ['507f1f77bcf86cd79943901g']],
    ['uri', ['/a', 'mailto:x', 'http://[::1]:80/', '*'], ['', 'a/b', 'http://a b/', 'http://a:x/', '/%zz', 'a\n:b']],
    ['email', ['a@b', 'A B <a@b.c>', '"q q"@b'], ['a', 'a@', 'a b@c', 'a..b@c']],
    ['hostname', ['a', 'a-b.example.com', 'é.com'], ['-a', 'a_b', '1.2.3.4', `${'a'.repeat(64)}.com`]],
    ['ipv4', ['1.2.3.4', '01.2.3.4', '::ffff:1.2.3.4'], ['1.2.3', '256.1.1.1', '::1']],
    ['ipv6', ['::', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4'], ['1::2::3', '::ffff:01.2.3.4', '12345::', '1:2', '1.2.3.4']],
    ['cidr', ['10.0.0.0/8', '010.0.0.0/08', '::/0'], ['10.0.0.0/33', '::/129', '10.0.0.0', '10.0.0.0/-1']],
    ['mac', ['01:23:45:67:89:ab', '0123.4567.89ab'], ['01:23:45:67:89', '01:23-45:67:89:ab']],
    ['uuid', ['123E4567e89b12d3a456426614174000'], ['123e4567-e89b']],
    ['uuid4', ['123e4567-e89b-42d3-a456-426614174000'], ['123e4567-e89b-42d3-c456-426614174000']],
    ['isbn', ['0321751043', '978-0321751041', '080442957X'], ['0321751044', '9780321751042']],
    ['creditcard', ['4111 1111 1111 1111'], ['4111111111111112']],
    ['ssn', ['111-22-3333'], ['111223333']],
    ['hexcolor', ['#fff', 'FFFFFF'], ['#ffff']],
    ['rgbcolor', ['rgb( 255 , 0,0 )'], ['rgb(256,0,0)']],
    ['byte', ['YQ=='], ['', 'YQ', 'Y-Q=']],
    ['date', ['2024-02-29'], ['2023-02-29', '2024-1-1', '1900-02-29']],
    ['datetime', ['2024-01-02t03:04:05.1+01:00'], ['2024-01-02T24:00:00Z', '2024-01-02']],
    [
      'duration',
      ['1.5h2m', '-3s', '0', '3 weeks', '5 Minutes', '12 parsecs and 1 day'],
      ['1', '', 'P', '12 parsecs', '5 Monday'],
    ],
    ['k8sshortname', ['a-b'], ['A', 'a.b', 'a'.repeat(64)]],
    ['k8slongname', ['a.b'], ['a..b']],
    ['constructor', ['anything'], []],
  ]
  it.each(rows)('%s', (format, right, wrong) => {
    expect(right.filter((text) => !hasFormat(format, text))).toEqual([])
    expect(wrong.filter((text) => hasFormat(format, text))).toEqual([])
  })
})

describe('patterns of Go', () => {
  const rows: [pattern: string, right: string[], wrong: string[]][] = [
    ['^.$', ['\u2028', '\r', '𝄞'], ['\n', '']],
    ['(?s)^.$', ['\n'], ['']],
    ['(?i)^abc$', ['ABC'], ['ab']],
    ['^(?i:a)b$', ['Ab'], ['AB']],
    ['(?m)^b$', ['a\nb'], ['ab']],
    [String.raw`^\s$`, [' ', '\n'], ['\u00a0', '\v']],
    [String.raw`^[^\s]$`, ['\u00a0'], [' ']],
    ['a{,2}', ['a{,2}'], ['aa']],
    ['^[]a]$', [']'], ['b']],
    ['^[[:alpha:]]$', ['x'], ['1']],
    [String.raw`\Qa.b\E`, ['a.b'], ['axb']],
    [String.raw`^\pL$`, ['é'], ['1']],
    [String.raw`\p{Greek}`, ['α'], ['a']],
    [String.raw`^\x61\x{1D11E}\z`, ['a𝄞'], ['a']],
    ['^(?P<x>a)(?<y>b)$', ['ab'], ['b']],
    [String.raw`^\-?[\w\-.]+$`, ['-a.b-'], ['a b']],
  ]
  it.each(rows)('%s', (pattern, right, wrong) => {
    const expression = goPattern(pattern)
    expect(right.filter((text) => expression?.test(text) !== true)).toEqual([])
    expect(wrong.filter((text) => expression?.test(text) !== false)).toEqual([])
  })

  it.each(['(?=a)', String.raw`(a)\1`, 'a(?i)b', '(?U)a', 'a{1001}', '(', ')', '[a', String.raw`\C`, 'a**'])(
    '%s is none that can be said',
    (pattern) => {
      expect(goPattern(pattern)).toBeUndefined()
    },
  )
})
