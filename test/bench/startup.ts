/** How long a start takes: the built plugin beside a bare Node.js, alternating in one run, so that both feel the same machine. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const dist = join(import.meta.dirname, '..', '..', 'dist')
const rounds = Number(process.env['ROUNDS'] ?? 20)
const cases: Record<string, [string, string[]]> = {
  'node -e 0': [join(dist, 'node'), ['-e', '0']],
  '--version': [join(dist, 'kubectl-airunway'), ['--version']],
  '--help': [join(dist, 'kubectl-airunway'), ['--help']],
  'preflight --help': [join(dist, 'kubectl-airunway'), ['preflight', '--help']],
  explain: [join(dist, 'kubectl-airunway'), ['explain']],
}

const times = new Map(Object.keys(cases).map((name) => [name, [] as number[]]))
for (let round = 0; round <= rounds; round += 1) {
  for (const [name, [program, argv]] of Object.entries(cases)) {
    const begin = performance.now()
    const { status, stderr } = spawnSync(program, argv, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`)
    // The first round fills the compile cache.
    if (round > 0) times.get(name)?.push(performance.now() - begin)
  }
}
console.log(`${rounds} rounds, milliseconds`)
for (const [name, all] of times) {
  const sorted = all.toSorted((a, b) => a - b)
  const [fastest = 0, median = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)]]
  console.log(`${name.padEnd(20)} median ${median.toFixed(0).padStart(5)}   fastest ${fastest.toFixed(0).padStart(5)}`)
}
