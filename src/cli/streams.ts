/** The standard streams at the end of the process: readers that went away, and writes still under way. */
import type { Writable } from 'node:stream'

/**
 * A reader that closed its end (`| head -1`) is no failure: what is left is not written, and the exit code stays what the
 * command found. A run that changes the cluster goes on.
 */
export const tolerateClosedReaders = (streams: readonly Writable[]): void => {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}

/** Resolves when everything written so far is out, or cannot go out any more. */
export const flushed = async (streams: readonly Writable[]): Promise<void> => {
  await Promise.all(
    streams.map(
      (stream) =>
        new Promise<void>((resolve) => {
          if (stream.destroyed || !stream.writable) resolve()
          else stream.write('', () => resolve())
        }),
    ),
  )
}
