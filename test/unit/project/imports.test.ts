import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Import, root, sourceGraph } from '../../support/source-graph.ts'

/** Words that every room speaks. */
const common = new Set(['src/report/refusal.ts', 'src/report/progress.ts'])

interface Rule {
  rooms: string[]
  text: string
}

const rulesOf = (page: string): Rule[] => {
  const table = page.slice(page.indexOf('| room | may import |')).split('\n\n')[0] ?? ''
  return table
    .split('\n')
    .slice(2)
    .map((line) => {
      const [, rooms = '', text = ''] = line.split('|').map((cell) => cell.trim())
      return { rooms: rooms.split(', '), text }
    })
}

/** The rooms that a cell allows: those it names, or all but those it names. */
const allowedBy = (text: string, rooms: readonly string[]): Set<string> => {
  const named = rooms.filter((room) => new RegExp(`\\b${room}\\b`).test(text))
  return new Set(text.startsWith('every room but') ? rooms.filter((room) => !named.includes(room)) : named)
}

const roomOf = (file: string): string | undefined => {
  const [first, second] = file.split('/')
  return first === 'src' ? second : first === 'commands' || first === 'bin' ? first : undefined
}

const violations = (graph: ReadonlyMap<string, Import[]>, rules: readonly Rule[]): string[] => {
  const rooms = rules.flatMap((rule) => rule.rooms)
  const allowed = new Map(
    rules.flatMap((rule) => rule.rooms.map((room) => [room, allowedBy(rule.text, rooms)] as const)),
  )
  return [...graph].flatMap(([from, imports]) => {
    const room = roomOf(from)
    if (room === undefined) return []
    return imports.flatMap(({ to, external }) => {
      const target = external ? undefined : roomOf(to)
      if (target === undefined || target === room || common.has(to)) return []
      return allowed.get(room)?.has(target) ? [] : [`${from} imports ${to}: ${room} may not import ${target}`]
    })
  })
}

const page = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8')

describe('the table of rooms', () => {
  const rules = rulesOf(page)

  test('is read as it is meant', () => {
    const rooms = rules.flatMap((rule) => rule.rooms)
    const of = (room: string): string[] => {
      const rule = rules.find((candidate) => candidate.rooms.includes(room))
      return [...allowedBy(rule?.text ?? '', rooms)]
    }
    expect(of('plan')).toEqual([])
    expect(of('migration')).toEqual(['kubernetes', 'crds', 'installation'])
    expect(of('services')).not.toContain('cli')
    expect(of('services')).toContain('run')
    expect(of('commands')).toEqual(['report', 'services', 'cli', 'playground'])
  })

  test('finds a forbidden import, and lets pass what is free', () => {
    const graph = new Map([
      ['src/plan/a.ts', [{ to: 'src/kubernetes/client.ts', external: false, dynamic: true }]],
      ['src/plan/b.ts', [{ to: 'src/report/refusal.ts', external: false, dynamic: false }]],
      ['src/steps/c.ts', [{ to: 'src/kubernetes/client.ts', external: false, dynamic: false }]],
      ['src/crds/d.ts', [{ to: 'semver', external: true, dynamic: false }]],
    ])
    expect(violations(graph, rules)).toEqual([
      'src/plan/a.ts imports src/kubernetes/client.ts: plan may not import kubernetes',
    ])
  })

  test('is kept by every file', async () => {
    const graph = await sourceGraph()
    const unknown = [...graph.keys()].filter((file) => {
      const room = roomOf(file)
      return room !== undefined && !rules.some((rule) => rule.rooms.includes(room))
    })
    expect(unknown, 'files in rooms that the table does not know').toEqual([])
    expect(violations(graph, rules)).toEqual([])
  })
})

test('a command loads its one service lazily', async () => {
  const graph = await sourceGraph()
  const commands = [...graph].filter(([file]) => file.startsWith('commands/') && file !== 'commands/index.ts')
  const wrong = commands.flatMap(([file, imports]) => {
    const ours = imports.filter(({ external }) => !external)
    const eager = ours.filter(({ to, dynamic }) => !dynamic && !to.startsWith('src/cli/')).map(({ to }) => to)
    const services = [...new Set(ours.filter(({ to }) => to.startsWith('src/services/')).map(({ to }) => to))]
    return [
      ...eager.map((to) => `${file} imports ${to} before it runs`),
      ...(services.length > 1 ? [`${file} calls ${services.join(' and ')}`] : []),
    ]
  })
  expect(wrong).toEqual([])
})

test('a package that is imported lazily is an ES module: a split bundle loses the names of CommonJS', async () => {
  const graph = await sourceGraph()
  const lazy = [...graph.values()]
    .flat()
    .filter(({ external, dynamic, to }) => external && dynamic && !to.startsWith('node:'))
  const types = lazy.map(({ to }) => {
    const pjson = JSON.parse(readFileSync(join(root, 'node_modules', to, 'package.json'), 'utf8')) as { type?: string }
    return `${to}: ${pjson.type ?? 'commonjs'}`
  })
  expect(types.filter((type) => !type.endsWith(': module'))).toEqual([])
})
