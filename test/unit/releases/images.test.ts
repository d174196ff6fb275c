import { describe, expect, test } from 'vitest'
import { formatImage, parseImage } from '../../../src/releases/image-reference.ts'
import { pinController, pinnedAsNamed, pinShim } from '../../../src/releases/pinning.ts'
import { productOfImage } from '../../../src/releases/products.ts'
import { readVersionText, releaseVersion } from '../../../src/releases/versions.ts'

const digest = `sha256:${'a'.repeat(64)}`

describe('parseImage', () => {
  test.each<[string, string, string, string | undefined, string | undefined]>([
    ['nginx', 'docker.io', 'nginx', undefined, undefined],
    ['library/nginx:1', 'docker.io', 'library/nginx', '1', undefined],
    ['ghcr.io/a/b/c:0.2.0', 'ghcr.io', 'a/b/c', '0.2.0', undefined],
    ['localhost/a:1', 'localhost', 'a', '1', undefined],
    ['localhost:5000/a', 'localhost:5000', 'a', undefined, undefined],
    ['registry:5000/a/b:v1', 'registry:5000', 'a/b', 'v1', undefined],
    [`ghcr.io/a/b@${digest}`, 'ghcr.io', 'a/b', undefined, digest],
    [`ghcr.io/a/b:1.0.0@${digest}`, 'ghcr.io', 'a/b', '1.0.0', digest],
  ])('%s', (image, registry, repository, tag, hash) => {
    const reference = parseImage(image)
    expect(reference).toEqual({ registry, repository, ...(tag && { tag }), ...(hash && { digest: hash }) })
    expect(reference && parseImage(formatImage(reference))).toEqual(reference)
  })

  test.each(['', ' ', 'a b', 'Ghcr.io/Upper/case', 'a:b:c', 'a@sha256:12', 'https://ghcr.io/a', 'ghcr.io//a'])(
    '%j is none',
    (image) => expect(parseImage(image)).toBeUndefined(),
  )
})

describe('productOfImage', () => {
  test.each<[string, string, string]>([
    ['ghcr.io/kubeairunway/kubeairunway/controller:latest', 'kubeairunway-controller', 'controller'],
    ['ghcr.io/kaito-project/kubeairunway/controller:0.3.1', 'kubeairunway-controller-manager', 'controller'],
    ['ghcr.io/kaito-project/airunway/controller:0.5.0', 'airunway-controller-manager', 'controller'],
    ['ghcr.io/ai-runway/airunway/controller:0.8.0', 'airunway-controller-manager', 'controller'],
    [`mirror.local:5000/x/airunway/controller@${digest}`, 'airunway-controller-manager', 'controller'],
    [`ghcr.io/kaito-project/airunway/controller:0.5.0@${digest}`, 'airunway-controller-manager', 'controller'],
    ['airunway/controller', 'airunway-controller-manager', 'controller'],
    ['ghcr.io/kaito-project/airunway/kaito-provider:v0.3.0', 'airunway-controller-manager', 'kaito'],
    ['ghcr.io/kubeairunway/kubeairunway/kuberay-provider:0.1.0', 'kubeairunway-controller', 'kuberay'],
  ])('%s', (image, deployment, component) => {
    const found = productOfImage(image)
    expect([found?.product.controller.deployment, found?.component]).toEqual([deployment, component])
  })

  test.each([
    'ghcr.io/kaito-project/airunway/dashboard:0.5.0',
    'ghcr.io/other/myairunway/controller:1',
    'ghcr.io/kaito-project/airunway/controller-tools:1',
    'controller:latest',
    'nvcr.io/nvidia/gpu-operator:v25.10.1',
    'not an image',
  ])('%s is none of it', (image) => expect(productOfImage(image)).toBeUndefined())
})

describe('pinning', () => {
  const latest = 'ghcr.io/kaito-project/airunway/controller:latest'
  test.each<[string, string, { registry?: string; running?: string }, string]>([
    ['latest never stays', latest, {}, 'ghcr.io/kaito-project/airunway/controller:0.5.0'],
    ['no tag', 'ghcr.io/a/airunway/controller', {}, 'ghcr.io/a/airunway/controller:0.5.0'],
    ['a digest stays', `ghcr.io/a/airunway/controller@${digest}`, {}, `ghcr.io/a/airunway/controller:0.5.0@${digest}`],
    [
      'same registry: the release decides the path',
      'ghcr.io/ai-runway/airunway/controller:latest',
      { running: latest },
      'ghcr.io/ai-runway/airunway/controller:0.5.0',
    ],
    [
      'a mirror stays a mirror',
      latest,
      { running: 'mirror.local:5000/airunway/controller:0.4.0' },
      'mirror.local:5000/airunway/controller:0.5.0',
    ],
    ['a mirror that renames', latest, { running: 'mirror.local/x/ctl:0.4.0' }, 'mirror.local/x/ctl:0.5.0'],
    ['--registry', latest, { registry: 'r.example' }, 'r.example/kaito-project/airunway/controller:0.5.0'],
    [
      '--registry with path',
      latest,
      { registry: 'r.example/m/' },
      'r.example/m/kaito-project/airunway/controller:0.5.0',
    ],
    [
      '--registry before the mirror',
      latest,
      { registry: 'r.example:1', running: 'mirror.local/a:1' },
      'r.example:1/kaito-project/airunway/controller:0.5.0',
    ],
  ])('%s', (_name, image, registries, wanted) => {
    expect(pinController(image, 'v0.5.0', registries)).toBe(wanted)
  })

  test('a shim keeps its own tag on the registry asked for', () => {
    expect(pinShim('ghcr.io/a/airunway/kaito-provider:v0.3.0', { registry: 'r.example' })).toBe(
      'r.example/a/airunway/kaito-provider:v0.3.0',
    )
  })

  test.each<[string, () => unknown, string]>([
    ['a named image with latest', () => pinnedAsNamed('ghcr.io/a/b:latest'), 'is not pinned'],
    ['a named image without tag', () => pinnedAsNamed('ghcr.io/a/b'), 'is not pinned'],
    ['a shim with latest', () => pinShim('ghcr.io/a/b:latest', {}), 'is not pinned'],
    ['no image', () => pinnedAsNamed('a b'), 'is not an image reference'],
    ['a registry with a scheme', () => pinController(latest, 'v0.5.0', { registry: 'https://r' }), 'is not a registry'],
    ['a registry that is none', () => pinController(latest, 'v0.5.0', { registry: 'mirror' }), 'is not a registry'],
  ])('%s is refused', (_name, act, message) => expect(act).toThrow(message))

  test('a named image by digest is taken as it is', () => {
    expect(pinnedAsNamed(`ghcr.io/a/b@${digest}`)).toBe(`ghcr.io/a/b@${digest}`)
  })
})

describe('versions', () => {
  test.each<[string, string]>([
    ['v0.2.0', 'v0.2.0'],
    ['0.2.0', 'v0.2.0'],
    ['0.2.0-lossy', 'v0.2.0-lossy'],
  ])('%s is the release %s', (text, version) => expect(releaseVersion(text)).toBe(version))

  test.each(['', 'latest', '0.2', 'v0', '0.2.0.1', 'vv0.2.0', '0.2.x', '../v0.2.0', '0.2.0+build', 'v01.2.3'])(
    '%j is refused',
    (text) => expect(() => releaseVersion(text)).toThrow('is not a release version'),
  )

  test.each<[string, string | undefined, string]>([
    ['0.10.0', '0.10.0', ''],
    ['v1.3.0', '1.3.0', ''],
    ['v25.10.1', '25.10.1', ''],
    ['v0.9.0-fix', '0.9.0-fix', 'a build of 0.9.0'],
    ['0.10.0-20261101', '0.10.0-20261101', 'a nightly build of 0.10.0'],
    ['latest', undefined, 'moves with every build'],
    ['nightly-latest', undefined, 'moves with every build'],
    ['main', undefined, 'moves with every build'],
    ['0.7', undefined, 'moves with every patch release'],
    ['v1', undefined, 'moves with every patch release'],
    ['main-0123456789ab', undefined, 'is not a version'],
    ['b0d3fb7', undefined, 'is not a version'],
    ['v1.0.0-devel', undefined, 'placeholder'],
  ])('the tag %s says %s', (tag, version, text) => {
    const result = readVersionText(tag)
    const says = 'version' in result ? [result.version, result.note ?? ''] : [undefined, result.why]
    expect(says[0]).toBe(version)
    expect(says[1]).toMatch(text === '' ? /^$/ : text)
  })
})
