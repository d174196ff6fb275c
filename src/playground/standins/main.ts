/** Start of every stand-in process: which one it is, is decided by the image of its container. */
import { flushCompileCache } from 'node:module'
import { connectInCluster } from '../../kubernetes/connect.ts'
import { programFor } from '../programs.ts'
import type { StandinContext } from './context.types.ts'
import { runController } from './controller.ts'
import { readEnvironment } from './environment.ts'
import { jsonLog } from './log.ts'
import { runOperator } from './operator.ts'
import { serveProbes } from './probes.ts'
import { runShim } from './shim.ts'

const probePort = 8081

async function main(): Promise<number> {
  const environment = readEnvironment(process.env, process.argv.slice(2))
  const program = programFor(environment.image)
  if (!program) throw new Error(`nothing stands for image ${environment.image}`)
  const log = jsonLog((line) => process.stdout.write(line), program.kind)
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())
  await serveProbes(environment.ports.get(probePort) ?? probePort)
  // the name Go's client libraries give themselves: that of the binary
  const fieldManager = program.kind === 'controller' ? 'manager' : program.kind === 'shim' ? 'provider' : 'operator'
  const client = await connectInCluster({ fieldManager })
  // All that it runs is loaded now, and it may be killed at any time: the next pod of its kind starts in a third of the time.
  flushCompileCache()
  const context: StandinContext = { environment, client, log, signal: stop.signal }
  log.info('starting manager', { image: environment.image, program: program.kind })
  if (program.kind === 'controller') return runController(context, program)
  if (program.kind === 'shim') return runShim(context, program)
  return runOperator(context, program)
}

void main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stdout.write(`${JSON.stringify({ level: 'error', msg: 'unable to start', error: String(error) })}\n`)
    process.exit(1)
  },
)
