import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { renderKrewManifest } from '../../../scripts/krew-manifest.ts'
import { ustar } from '../../../scripts/ustar.ts'
import { type KrewManifest, manifestObjections, readArchive } from '../../support/krew-rules.ts'
import { root } from '../../support/source-graph.ts'

const template = readFileSync(join(root, 'krew-manifest.yaml'), 'utf8')
const sha256 = 'a'.repeat(64)
const rendered = (): KrewManifest =>
  parse(renderKrewManifest(template, '0.1.0', { 'linux-amd64': sha256 })) as KrewManifest

describe('the manifest for krew', () => {
  test('the template holds no checksum, and gives a valid manifest', () => {
    expect(template).not.toMatch(/[a-f0-9]{64}/)
    expect(manifestObjections(rendered(), 'airunway.yaml')).toEqual([])
  })

  test.each<[string, (manifest: KrewManifest) => void, string]>([
    ['another file name', (manifest) => (manifest.metadata.name = 'runway'), 'name is not the name of the file'],
    ['a version without v', (manifest) => (manifest.spec.version = '0.1.0'), 'version is not semver with a leading v'],
    ['two lines', (manifest) => (manifest.spec.shortDescription = 'a\nb'), 'shortDescription is not one line'],
    ['twice the same platform', ({ spec }) => spec.platforms.push(...spec.platforms), 'platforms overlap: linux/amd64'],
    [
      'an upper-case checksum',
      ({ spec }) => spec.platforms.forEach((platform) => (platform.sha256 = sha256.toUpperCase())),
      'platform 0: sha256 is not 64 lower-case hex digits',
    ],
    [
      'an unknown platform',
      ({ spec }) => spec.platforms.forEach((platform) => (platform.selector = { matchLabels: { os: 'plan9' } })),
      'platform 0: selector matches no platform that krew knows',
    ],
  ])('%s is refused', (_, spoil, objection) => {
    const manifest = rendered()
    spoil(manifest)
    expect(manifestObjections(manifest, 'airunway.yaml')).toContain(objection)
  })

  test.each([
    [{}, 'no archive was made for linux-amd64'],
    [{ 'linux-amd64': sha256, 'linux-arm64': sha256 }, 'the manifest has no place for linux-arm64'],
  ])('checksums %j are refused', (checksums, reason) => {
    expect(() => renderKrewManifest(template, '0.1.0', checksums)).toThrow(reason)
  })
})

describe('the archive', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ustar-'))
    mkdirSync(join(folder, 'lib', 'd'.repeat(90)), { recursive: true })
    writeFileSync(join(folder, 'program'), '#!/bin/sh\n', { mode: 0o700 })
    writeFileSync(join(folder, 'lib', 'b'), Buffer.alloc(512, 'b'), { mode: 0o600 })
    writeFileSync(join(folder, 'lib', 'd'.repeat(90), 'long name'), 'long')
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('is sorted, without owners and times, with modes of two kinds', () => {
    const long = `lib/${'d'.repeat(90)}/`
    expect(
      readArchive(gzipSync(ustar(folder, ['program', 'lib']))).map(({ name, mode, content }) => [
        name,
        mode,
        content.length,
      ]),
    ).toEqual([
      ['lib/', 0o755, 0],
      ['lib/b', 0o644, 512],
      [long, 0o755, 0],
      [`${long}long name`, 0o644, 4],
      ['program', 0o755, 10],
    ])
  })

  test('is the same byte for byte when the files are newer', () => {
    const before = ustar(folder, ['program', 'lib'])
    writeFileSync(join(folder, 'program'), '#!/bin/sh\n')
    expect(ustar(folder, ['lib', 'program']).equals(before)).toBe(true)
  })

  test('takes no links, because krew takes none', () => {
    symlinkSync('program', join(folder, 'lib', 'link'))
    expect(() => ustar(folder, ['lib'])).toThrow('only folders and regular files can be packed: lib/link')
  })

  test.each([
    ['..', 'a/../../b', '0', 'refusing to unpack a name with dots'],
    ['an absolute name', '/etc/x', '0', 'refusing to unpack an absolute name'],
    ['a link', 'link', '2', 'unable to handle file type 2'],
  ])('that has %s is refused', (_, name, flag, reason) => {
    const block = Buffer.alloc(512)
    block.write(name, 0)
    block.write('0000644\0', 100)
    block.write('00000000000\0', 124)
    block.write(flag, 156)
    expect(() => readArchive(gzipSync(Buffer.concat([block, Buffer.alloc(1024)])))).toThrow(reason)
  })
})
