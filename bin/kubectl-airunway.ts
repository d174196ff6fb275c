#!/usr/bin/env node
/** Start-up and nothing else. Everything is imported only after the compile cache is on, so that the cache holds it. */
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
import { compileCacheDirectory } from '../src/cli/compile-cache.ts'

const main = async (): Promise<void> => {
  const [{ start }, { commands }, { commandManifest }, { flushed, tolerateClosedReaders }, { default: pjson }] =
    await Promise.all([
      import('../src/cli/start.ts'),
      import('../commands/index.ts'),
      import('../src/cli/command-manifest.ts'),
      import('../src/cli/streams.ts'),
      import('../package.json', { with: { type: 'json' } }),
    ])
  const streams = [process.stdout, process.stderr]
  let lost = false
  tolerateClosedReaders([process.stderr])
  tolerateClosedReaders([process.stdout], () => {
    lost = true
  })
  await start({
    argv: process.argv.slice(2),
    root: fileURLToPath(new URL('..', import.meta.url)),
    pjson,
    commands,
    manifest: () => commandManifest(commands),
  })
  await flushed(streams)
  // A result that could not be written (a full disk) is not a result.
  if (lost && !process.exitCode) process.exitCode = 1
  // A pool of connections or a credential plugin that lingers must not hold back a command that is done.
  process.exit()
}

enableCompileCache(compileCacheDirectory(process.env, process.platform))
// Not awaited at the top level: with a reader that went away Node would call that an unsettled await and exit with 13.
void main()
