/** Where V8's compiled code may be kept between two starts: it halves the time of a start. */
import { join } from 'node:path'

/** The user's cache directory by platform convention; undefined where the environment names no home. */
export const compileCacheDirectory = (
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): string | undefined => {
  const base =
    env['XDG_CACHE_HOME'] ||
    (platform === 'win32' ? env['LOCALAPPDATA'] : undefined) ||
    (env['HOME'] && join(env['HOME'], platform === 'darwin' ? 'Library/Caches' : '.cache'))
  return base ? join(base, 'airunway', 'code') : undefined
}
