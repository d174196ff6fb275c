/** The verbs about definitions over real files: what is paired with what, judged by whose rules, and which verdict comes out. */
import { execFileSync } from 'node:child_process'
import { symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CrdCheckRequest, crdCheck } from '../../../src/services/crd-check.ts'
import { crdDiff } from '../../../src/services/crd-diff.ts'
import { bytes, crd, type Files, found, newFiles, request, text } from './crd-requests.ts'

let folder: string
let file: Files['file']
let remove: Files['remove']
beforeAll(() => {
  ;({ folder, file, remove } = newFiles())
})
afterAll(() => remove())

const gone = 'models.example.io crd.property.removed error'

describe('sources', () => {
  test('a file and standard input', async () => {
    const old = file('stdin/old.json', crd({ ...text, b: { type: 'string' } }))
    expect(await found(old, '-', { stdin: bytes(JSON.stringify(crd(text))) })).toEqual([gone])
  })

  test('a folder: manifests in it, not below, unless asked for; other documents are counted', async () => {
    file('dir/a.yaml', crd(text), { kind: 'Kustomization' })
    file('dir/b.json', crd(text, { plural: 'others' }))
    file('dir/notes.txt', 'no: [manifest')
    file('dir/below/c.yml', crd(text, { plural: 'more' }))
    const notes: string[] = []
    const names = async (recursive: boolean) => {
      const note = (line: string) => notes.push(line)
      const { definitions } = await crdDiff(request(join(folder, 'dir'), join(folder, 'dir'), { recursive, note }))
      return definitions.map(({ name }) => name)
    }
    expect(await names(false)).toEqual(['models.example.io', 'others.example.io'])
    expect(notes).toEqual(Array(2).fill(`${join(folder, 'dir')}: 1 documents are no CustomResourceDefinitions`))
    expect(await names(true)).toEqual(['models.example.io', 'more.example.io', 'others.example.io'])
  })

  test('a commit: a file and a folder of it', async () => {
    const repository = join(folder, 'repository')
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: repository, stdio: 'pipe' })
    const path = file('repository/crds/m.yaml', crd({ ...text, b: { type: 'string' } }))
    file('repository/crds/readme.txt', 'none')
    git('init', '-q')
    git('add', '.')
    git('commit', '-qm', 'one')
    writeFileSync(path, JSON.stringify(crd(text)))
    const here = process.cwd()
    try {
      process.chdir(repository)
      expect(await found('git:HEAD:crds/m.yaml', 'crds')).toEqual([gone])
      expect(await found('git:HEAD:crds', 'crds')).toEqual([gone])
      expect(await found('git:HEAD:./', 'crds', { recursive: true })).toEqual([gone])
      process.chdir('crds')
      expect(await found('git:HEAD:crds', '.')).toEqual([gone])
      expect(await found('git:HEAD:./', '.')).toEqual([gone])
      process.chdir('..')
      await expect(found('git:nowhere:crds', 'crds')).rejects.toThrow(/could not be read from git/)
      await expect(found('git:HEAD:none', 'crds')).rejects.toThrow(/could not be read from git/)
      symlinkSync('m.yaml', 'crds/link.yaml')
      git('add', '.')
      git('commit', '-qm', 'two')
      await expect(found('git:HEAD:crds', 'crds')).rejects.toThrow(/crds\/link\.yaml is a link/)
    } finally {
      process.chdir(here)
    }
  })

  test('a pipe, as <(command) of a shell makes one', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('sh', ['-c', 'mkfifo "$0"', pipe])
    const [, ids] = await Promise.all([
      writeFile(pipe, JSON.stringify(crd({ ...text, b: { type: 'string' } }))),
      found(pipe, good()),
    ])
    expect(ids).toEqual([gone])
  })

  test('a list as the API server answers it', async () => {
    const { apiVersion, kind: _kind, ...item } = crd({ ...text, b: { type: 'string' } })
    const list = file('list.json', { apiVersion, kind: 'CustomResourceDefinitionList', items: [item] })
    expect(await found(list, good())).toEqual([gone])
  })

  test('says what to do in words of these commands', async () => {
    const next = (source: string) => found(source, good(), { releases: folder }).catch((error: unknown) => error)
    expect(await next('release:main')).toMatchObject({ next: 'name the release in full, for example release:v0.2.0' })
    expect(await next('release:v9.9.9')).not.toMatchObject({ next: expect.stringMatching(/--(to|source)\b/) })
  })

  test('releases by their versions', async () => {
    const releases = join(import.meta.dirname, '../../../examples/releases')
    const { definitions } = await crdCheck(request('release:v0.1.0', 'release:0.1.0', { releases }))
    expect(definitions.map(({ profile, upgrade }) => [profile, upgrade])).toEqual([
      ['kubeairunway', []],
      ['kubeairunway', []],
    ])
  })

  const good = () => file('good.json', crd(text))
  test.each<[string, () => string, RegExp]>([
    ['that is not there', () => join(folder, 'nowhere.yaml'), /nowhere\.yaml could not be read/],
    ['without manifests', () => dirname(file('empty/readme.txt', 'none')), /holds no manifests/],
    ['without definitions', () => file('pod.yaml', { kind: 'Pod' }), /holds no CustomResourceDefinition/],
    ['that is empty', () => file('empty.yaml', ''), /holds no CustomResourceDefinition/],
    ['with a definition twice', () => file('twice.yaml', crd(text), crd(text)), /holds models\.example\.io twice/],
    [
      'with a broken status',
      () => file('status.json', { ...crd(text), status: { storedVersions: true } }),
      /status\.storedVersions is no list/,
    ],
    ['that is no YAML', () => file('broken.yaml', 'a: ['), /broken\.yaml cannot be compared/],
    ['that nests too deep', () => file('deep.yaml', '['.repeat(10_000)), /deep\.yaml cannot be compared: it nests/],
    ['git without a path', () => 'git:HEAD', /names no file in git/],
    ['git with an option for a reference', () => 'git:--output=x:y', /names no file in git/],
    ['git with no reference', () => 'git::x', /names no file in git/],
    ['a version that is none', () => 'release:main', /main/],
  ])('refuses one %s', async (_, source, reason) => {
    await expect(found(source(), good())).rejects.toThrow(reason)
    await expect(found(good(), source())).rejects.toThrow(reason)
  })

  test('refuses 100 MB by its size, before anything is read', async () => {
    const path = file('large.yaml', 'a: 1')
    truncateSync(path, 100 * 1024 * 1024)
    const began = performance.now()
    await expect(found(path, good())).rejects.toThrow(/large\.yaml is too large/)
    expect(performance.now() - began).toBeLessThan(1000)
  })

  test('refuses a stream that does not end', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield new Uint8Array(1024 * 1024)
    }
    await expect(found('-', good(), { stdin: endless() })).rejects.toThrow(/standard input is too large/)
    await expect(found('-', '-')).rejects.toThrow(/Only one side/)
  })

  test('follows a link to a file, and not one to nothing', async () => {
    const linked = dirname(file('linked/x.txt', ''))
    symlinkSync(good(), join(linked, 'a.json'))
    expect(await found(linked, good())).toEqual([])
    symlinkSync(join(folder, 'nowhere'), join(linked, 'b.json'))
    await expect(found(linked, good())).rejects.toThrow(/b\.json could not be read/)
  })
})

describe('pairs', () => {
  test('a definition that is gone is an error, a new one is told; backwards it is the other way round', async () => {
    const one = file('pairs/one.json', crd(text))
    const other = file('pairs/other.json', crd(text, { plural: 'others' }))
    const { definitions, verdict, counts } = await crdCheck(request(one, other))
    expect(definitions).toMatchObject([
      {
        name: 'models.example.io',
        presence: 'removed',
        upgrade: [{ id: 'crd.definition.removed', level: 'error' }],
        rollback: [{ id: 'crd.definition.added', level: 'info' }],
      },
      {
        name: 'others.example.io',
        presence: 'added',
        upgrade: [{ id: 'crd.definition.added', level: 'info' }],
        rollback: [{ id: 'crd.definition.removed', level: 'error' }],
      },
    ])
    expect(verdict).toBe('blocked')
    expect(counts.upgrade).toEqual({ error: 1, warning: 0, info: 1, ignored: 0 })
  })

  test("AI Runway's groups have the profile of its policy, others Kubernetes'", async () => {
    const both = file(
      'profiles.yaml',
      crd(text),
      ...['airunway.ai', 'kubeairunway.ai'].map((group) => crd(text, { group })),
    )
    const profiles = async (others?: Partial<CrdCheckRequest>) => {
      const { definitions } = await crdCheck(request(both, both, others))
      return definitions.map(({ profile }) => profile)
    }
    expect(await profiles()).toEqual(['kubeairunway', 'kubernetes', 'kubeairunway'])
    expect(await profiles({ profile: 'strict' })).toEqual(['strict', 'strict', 'strict'])
  })
})

describe('verdict', () => {
  const old = () => file('verdict/old.json', crd({ ...text, n: { type: 'integer' } }))
  const same = old
  const fewer = () => file('verdict/fewer.json', crd(text))
  const warned = () => file('verdict/warned.json', crd({ ...text, n: { type: 'integer', default: 1 } }))
  test.each<[string, () => string, () => string, CrdCheckRequest['only'], string]>([
    ['the same', old, same, undefined, 'passed'],
    ['a field less', old, fewer, undefined, 'blocked'],
    ['a field more: the way back only tells', fewer, old, undefined, 'passed'],
    ['a field more, the way back alone', fewer, old, 'rollback', 'blocked'],
    ['a field less, the way back alone', old, fewer, 'rollback', 'passed'],
    ['a default', old, warned, undefined, 'warnings'],
  ])('%s', async (_, before, after, only, verdict) => {
    const report = await crdCheck(request(before(), after(), { only }))
    expect(report.verdict).toBe(verdict)
    expect(report.definitions[0]).toHaveProperty(only ?? 'upgrade')
    expect(Object.keys(report.counts)).toEqual(only === undefined ? ['upgrade', 'rollback'] : [only])
  })
})

describe('configuration', () => {
  const old = () => file('config/old.json', crd({ ...text, b: { type: 'string' } }))
  const now = () => file('config/new.json', crd(text))
  const check = (config: string, name = 'config/c.yaml') => found(old(), now(), { config: file(name, config) })
  const entry = (until: string) => `ignore:\n- id: crd.property.*\n  until: ${until}\n  reason: nobody has it\n`
  test.each<[string, string, string]>([
    ['an override', 'overrides: [{id: crd.property.removed, level: warning}]', gone.replace('error', 'warning')],
    ['an ignore that holds today', entry('2026-11-22'), gone.replace('error', 'info')],
    ['an ignore that is over', entry('2026-11-21'), gone],
    ["crdify's", 'validations: [{name: existingFieldRemoval, enforcement: Warn}]', gone.replace('error', 'warning')],
    ['an empty one', '', gone],
  ])('%s', async (_, config, expected) => expect(await check(config)).toEqual([expected]))

  test.each<[string, string, RegExp]>([
    ['an unknown word', 'ignored: []', /ignored is not known/],
    ['an entry without a reason', 'ignore: [{id: a}]', /has no reason/],
    [
      'an id that nothing has',
      'ignore: [{id: crd.property.remvoed, reason: a}]',
      /no finding has the id crd.property.remvoed/,
    ],
    ['two documents', 'ignore: []\n---\nignore: []', /more than one document/],
    ['no YAML', 'a: [', /not usable YAML/],
  ])('refuses %s', async (_, config, reason) => {
    await expect(check(config)).rejects.toThrow(expect.objectContaining({ name: 'Refusal', kind: 'usage' }))
    await expect(check(config)).rejects.toThrow(reason)
  })

  test('says which entries are over', async () => {
    const config = file('config/over.yaml', entry('2026-11-21'))
    const notes: string[] = []
    await found(old(), now(), { config, note: (line) => notes.push(line) })
    expect(notes).toEqual([`${config}: what ignores crd.property.* ended on 2026-11-21`])
  })

  test('holds for a definition that is gone, too', async () => {
    const other = file('config/other.json', crd(text, { plural: 'others' }))
    const config = file('config/gone.yaml', 'ignore: [{id: crd.definition.removed, reason: moved}]')
    expect(await found(old(), other, { config })).toContain('models.example.io crd.definition.removed info')
  })
})
