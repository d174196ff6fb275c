/** How long `crd check` takes on large definitions, and how much memory: the built plugin, files as arguments. */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const kuberay = join(root, '..', 'shared', 'upstream', 'kuberay')
const [before = join(kuberay, 'v0.6.0'), after = join(kuberay, 'v1.0.0')] = process.argv.slice(2)
const rounds = Number(process.env['ROUNDS'] ?? 10)
const times: number[] = []
const memory: number[] = []
const measure = join(tmpdir(), `crd-check-${process.pid}`)
for (let round = 0; round <= rounds; round += 1) {
  const plugin = [join(root, 'dist', 'kubectl-airunway'), 'crd', 'check', before, after, '-o', 'json']
  const begin = performance.now()
  const { status, stderr } = spawnSync('/usr/bin/time', ['-q', '-o', measure, '-f', '%M', ...plugin], {
    encoding: 'utf8',
    maxBuffer: 100 * 1024 * 1024,
  })
  if (![0, 3, 4].includes(status ?? -1)) throw new Error(`it ended with ${status}: ${stderr}`)
  // The first round fills the compile cache.
  if (round > 0) times.push(performance.now() - begin)
  memory.push(Number(readFileSync(measure, 'utf8')) / 1024)
}
rmSync(measure)
const sorted = times.toSorted((one, other) => one - other)
const [fastest = 0, median = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)]]
console.log(`${rounds} rounds: median ${median.toFixed(0)} ms, fastest ${fastest.toFixed(0)} ms`)
console.log(`most memory: ${Math.max(...memory).toFixed(0)} MB`)
