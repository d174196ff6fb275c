/** `--request-timeout` as kubectl reads it. */
import { ConfigurationError } from './errors.ts'

const units: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * Milliseconds of a Go duration (`1m30s`) or of whole seconds (`30`); undefined for zero, which means no limit.
 * Throws ConfigurationError for anything else.
 */
export function parseRequestTimeout(text: string): number | undefined {
  const milliseconds = /^\d+$/.test(text) ? Number(text) * 1000 : duration(text)
  return milliseconds === 0 ? undefined : milliseconds
}

function duration(text: string): number {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) {
    throw new ConfigurationError(`"${text}" is not a request timeout`, { fix: 'write it as 30, 30s, 2m or 1h' })
  }
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0), 0)
}
