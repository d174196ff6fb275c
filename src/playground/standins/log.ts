/** One JSON object a line, as the Kubernetes controllers' production loggers write. */

export interface Log {
  info(message: string, fields?: Record<string, unknown>): void
  error(message: string, error: unknown, fields?: Record<string, unknown>): void
}

/** A log that hands each finished line to `write`. Errors are written by their message only. */
export function jsonLog(write: (line: string) => void, name: string, now: () => Date = () => new Date()): Log {
  const line = (level: string, msg: string, fields: Record<string, unknown>): void =>
    write(`${JSON.stringify({ ts: now().toISOString(), level, logger: name, msg, ...fields })}\n`)
  return {
    info: (message, fields = {}) => line('info', message, fields),
    error: (message, error, fields = {}) =>
      line('error', message, { ...fields, error: error instanceof Error ? error.message : String(error) }),
  }
}
