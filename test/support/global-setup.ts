/** Before the integration tests: the servers of the control planes are there, compiled if need be (some minutes each). */
import { lineProgress } from '../../src/cli/progress.ts'
import { entries } from '../../src/playground/entries.ts'
import { minors } from '../../src/playground/server-versions.ts'
import { ensureServers } from '../../src/playground/servers.ts'
import { clusterTestsPossible } from './control-plane.ts'

export default async (): Promise<void> => {
  const progress = lineProgress({ stderr: process.stderr, env: process.env, color: false })
  for (const minor of minors) {
    const { possible, reason } = clusterTestsPossible(minor)
    if (possible) await ensureServers(minor, { env: process.env, progress, serversFolder: entries().servers })
    else process.stderr.write(`The tests that need Kubernetes ${minor} are skipped: ${reason}\n`)
  }
}
