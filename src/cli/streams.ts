/** The standard streams at the end of the process: readers that went away, and writes still under way. */
import type { Writable } from 'node:stream'

/**
 * A stream that takes nothing more never ends the command: a run that changes the cluster goes on, or is interrupted in order.
 * A reader that closed its end (`| head -1`) and a terminal that went away (EIO, with SIGHUP) are no failure: the exit code stays
 * what the command found. Any other reason (a full disk) is handed to `lost`.
 */
export const tolerateClosedReaders = (
  streams: readonly Writable[],
  lost: (error: NodeJS.ErrnoException) => void = () => {},
): void => {
  for (const stream of streams) {
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO' && error.code !== 'ERR_STREAM_DESTROYED') lost(error)
    }
    stream.on('error', onError)
    // @oclif/core/command, once loaded, throws at every error of stdout but EPIPE: ours stays the only listener.
    stream.on('newListener', (event: string | symbol, listener: (error: NodeJS.ErrnoException) => void) => {
      if (event === 'error' && listener !== onError) setImmediate(() => stream.off('error', listener))
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
