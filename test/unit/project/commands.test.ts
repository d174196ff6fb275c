import { globSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { commands } from '../../../commands/index.ts'
import { type CommandManifest, describeCommands } from '../../../src/cli/command-table.ts'
import { ExitCode } from '../../../src/cli/exit-codes.ts'
import { scenarios } from '../../../src/playground/scenarios.ts'
import { minors } from '../../../src/playground/server-versions.ts'
import { type Import, loadedBy, root, sourceGraph } from '../../support/source-graph.ts'

const files = globSync('commands/**/*.ts', { cwd: root }).filter((file) => file !== 'commands/index.ts')

test('the table lists every file of commands/, by the words users type', () => {
  const ids = files.map((file) => file.slice('commands/'.length, -'.ts'.length).replaceAll('/', ':'))
  expect(Object.keys(commands).toSorted()).toEqual(ids.toSorted())
})

describe('help', () => {
  let manifest: CommandManifest

  beforeAll(async () => {
    manifest = await describeCommands(commands)
  })

  test.each(Object.keys(commands))('%s has a summary, an example and its exit codes', (id) => {
    const command = manifest[id]
    expect(command?.summary).toMatch(/^\S.*\S$/)
    expect(command?.examples?.length).toBeGreaterThan(0)
    expect(command?.exitCodes?.every((name) => name in ExitCode)).toBe(true)
    // every result may meet a full disk
    expect(command?.exitCodes).toContain('failed')
  })

  test('playground up names every scenario and every Kubernetes, as they are', () => {
    const { scenario, kubernetes } = manifest['playground:up']?.flags ?? {}
    const lines = scenario?.description?.split('\n').slice(1)
    expect(lines).toEqual(scenarios.map(({ name, description }) => `- ${name}: ${description}`))
    expect(kubernetes?.summary?.match(/\d+\.\d+/g)).toEqual([...minors])
  })

  test.each(Object.keys(commands))('every flag of %s says what it is for', (id) => {
    const silent = Object.values(manifest[id]?.flags ?? {}).filter((flag) => !flag.summary && !flag.description)
    expect(silent.map((flag) => flag.name)).toEqual([])
  })
})

describe('what a start loads', () => {
  let graph: Map<string, Import[]>

  beforeAll(async () => {
    graph = await sourceGraph()
  })

  /** Start-up imports everything lazily; this is what it does import before a command runs. */
  const startUp = [
    'bin/kubectl-airunway.ts',
    'src/cli/start.ts',
    'commands/index.ts',
    'src/cli/command-manifest.ts',
    'src/cli/streams.ts',
  ]
  const packages = (loaded: Set<string>): string[] =>
    [...loaded].filter((file) => !graph.has(file) && !file.startsWith('node:')).toSorted()
  const foreign = (loaded: Set<string>): string[] =>
    [...loaded].filter(
      (file) => graph.has(file) && !/^(bin|commands|src\/cli|src\/report)\/|^package\.json$/.test(file),
    )

  test('the files that start-up imports are those named here', () => {
    const imports = graph.get('bin/kubectl-airunway.ts')?.filter(({ to, dynamic }) => dynamic && to.endsWith('.ts'))
    expect(imports?.map(({ to }) => to).toSorted()).toEqual(startUp.slice(1).toSorted())
  })

  test('--version loads no package at all', () => {
    const loaded = loadedBy(graph, startUp)
    expect(packages(loaded)).toEqual([])
    expect(foreign(loaded)).toEqual([])
  })

  test('--help loads oclif and no Kubernetes code, also from source, where every command is loaded', () => {
    const loaded = loadedBy(graph, [...startUp, 'src/cli/oclif.ts', ...files])
    expect(packages(loaded).filter((name) => !name.startsWith('@oclif/core'))).toEqual([])
    expect(foreign(loaded)).toEqual([])
  })
})
