/**
 * Runs killed at every write: `npm run test:torture -- --shard 2/8 --tier standby`. Vitest's own shards are parts of files;
 * these are parts of one file's cases.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { shard: { type: 'string' }, tier: { type: 'string', multiple: true } } })
const { status } = spawnSync('vitest', ['run', '--project', 'torture'], {
  stdio: 'inherit',
  env: {
    ...process.env,
    ...(values.shard !== undefined && { TORTURE_SHARD: values.shard }),
    ...(values.tier !== undefined && { TORTURE_TIERS: values.tier.join(',') }),
  },
})
process.exitCode = status ?? 1
