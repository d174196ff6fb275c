/** Free ports on loopback. */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below the ports that Linux (32768 and up) and macOS (49152 and up) hand to outgoing connections, so that no connection
// of the machine takes a port between our look and the moment its process listens.
const first = 20_000
const last = 32_000

/** Whether nobody listens on this port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Hands out free ports of 127.0.0.1, none twice while it is in use. */
export class Ports {
  readonly #taken = new Set<number>()

  /** @throws Error where a thousand tries found no free port */
  async take(): Promise<number> {
    for (let i = 0; i < 1000; i++) {
      const port = randomInt(first, last)
      if (this.#taken.has(port)) continue
      this.#taken.add(port)
      if (await isFree(port)) return port
      this.#taken.delete(port)
    }
    throw new Error(`no free port between ${first} and ${last} on 127.0.0.1`)
  }

  release(port: number): void {
    this.#taken.delete(port)
  }
}
