/** What every story with a server needs: its certificates, a client of it, and an end that leaves nothing behind. */
import { afterAll, afterEach, beforeAll } from 'vitest'
import type { ConnectionFlags, KubernetesClient } from '../../../src/kubernetes/client.types.ts'
import { type ConnectOptions, connect } from '../../../src/kubernetes/connect.ts'
import { type Certificates, makeCertificates, type Pair } from './certificates.ts'
import { type Handler, startServer, type TestServer } from './tls-server.ts'

export interface Stage {
  readonly certificates: Certificates
  /** Starts a server that is closed after the test. */
  serve(handler: Handler, pair?: Pair): Promise<TestServer>
  /** A client that trusts the test's authority, and is closed after the test. */
  connectTo(server: string, flags?: ConnectionFlags, options?: ConnectOptions): Promise<KubernetesClient>
  /** Both; retries do not wait. */
  start(handler: Handler): Promise<{ server: TestServer; client: KubernetesClient; waits: number[] }>
  onEnd(act: () => unknown): void
}

export function stage(): Stage {
  let certificates: Certificates | undefined
  const ends: (() => unknown)[] = []
  beforeAll(() => {
    certificates = makeCertificates()
  })
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end()
  })
  afterAll(() => certificates?.remove())
  const made = (): Certificates => {
    if (!certificates) throw new Error('certificates are made before the first test')
    return certificates
  }
  const connectTo: Stage['connectTo'] = async (server, flags = {}, options = {}) => {
    const trust = flags.insecureSkipTlsVerify ? {} : { certificateAuthority: made().authority.certificateFile }
    const client = await connect({ server, ...trust, ...flags }, { env: { KUBECONFIG: '/dev/null' }, ...options })
    ends.push(() => client.close())
    return client
  }
  const serve: Stage['serve'] = async (handler, pair) => {
    const server = await startServer(made(), handler, pair)
    ends.push(() => server.close())
    return server
  }
  return {
    get certificates() {
      return made()
    },
    serve,
    connectTo,
    start: async (handler) => {
      const waits: number[] = []
      const server = await serve(handler)
      const wait = async (milliseconds: number) => void waits.push(milliseconds)
      return { server, waits, client: await connectTo(server.url, {}, { wait }) }
    },
    onEnd: (act) => void ends.push(act),
  }
}
