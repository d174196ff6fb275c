/**
 * How fast all objects of a kind are moved to another stored version: who there is, alternating in one session, so that all
 * feel the same machine. Figures of two sessions cannot be compared, only shares of the yardstick `bare`.
 *
 *   npm run bench:migrate -- [--objects 5000] [--pairs 5] [--only NAME,NAME] [--beat 20]
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { startBenchCluster } from './cluster.ts'
import { type Contestant, contestants } from './contestants.ts'
import { oneRun, type RunOptions } from './one-run.ts'
import { failed, passesTable, type Round, rate, table } from './table.ts'

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '5000' },
    pairs: { type: 'string', default: '5' },
    only: { type: 'string', default: 'airunway,bare,bare-same,cmctl,flux' },
    /** milliseconds between the beats of the bystander */
    beat: { type: 'string', default: '20' },
  },
})
const wanted = (name: 'objects' | 'pairs' | 'beat', least: number): number => {
  const value = Number(values[name])
  if (Number.isInteger(value) && value >= least) return value
  throw new Error(`--${name} is a whole number from ${least} on, not ${values[name]}`)
}
const [objects, pairs] = [wanted('objects', 1), wanted('pairs', 1)]
const options: RunOptions = { beatMs: wanted('beat', 0) }
const say = (text: string) => void process.stderr.write(`${text}\n`)

async function compare(all: readonly Contestant[]): Promise<Round[]> {
  await using cluster = await startBenchCluster([...new Set(all.map(({ kind }) => kind))], objects, say)
  for (const { plural, stored } of await kindsOf(all, cluster)) {
    say(`${plural}: ${stored.objects} objects of ${Math.round(stored.bytes / stored.objects)} bytes in etcd`)
  }
  const rounds: Round[] = []
  for (let round = 0; round < pairs; round += 1) {
    const figures: Round['figures'] = new Map()
    // Nobody is always first, and nobody always moves in the same direction.
    const order = all.map((_, index) => all[(index + round) % all.length]).filter((one) => one !== undefined)
    for (const contestant of order) {
      const its = await oneRun(cluster, contestant, options)
      figures.set(contestant.name, its)
      say(`round ${round + 1}: ${contestant.name.padEnd(8)} ${rate(its).toFixed(0).padStart(4)} obj/s`)
      if (failed(its)) say(`  failed: ended with ${its.process.code}, ${its.left} left\n${its.process.complaint}`)
      if (its.bystander && its.bystander.failures > 0) say(`  ${its.bystander.failures} beats of the bystander failed`)
    }
    rounds.push({ figures })
  }
  return rounds
}

const kindsOf = (all: readonly Contestant[], cluster: Awaited<ReturnType<typeof startBenchCluster>>) =>
  Promise.all(
    [...new Set(all.map(({ kind }) => kind))].map(async (kind) => ({
      plural: kind.plural,
      stored: await cluster.stored(kind),
    })),
  )

const beats = options.beatMs > 0 ? ` A bystander sends a GET and a PATCH every ${options.beatMs} ms.` : ''
const all = await contestants(values.only.split(','), say)
const rounds = await compare(all)
console.log(
  `${objects} objects, ${pairs} rounds, ${availableParallelism()} cores; medians. Rates are objects written by the time of the ` +
    `whole command, start-up included.${beats}\n`,
)
const names = all.map(({ name }) => name)
console.log(table(names, rounds))
console.log(`\nBy their own account:\n\n${passesTable(names, rounds)}`)
if (rounds.some(({ figures }) => [...figures.values()].some(failed))) process.exitCode = 1
