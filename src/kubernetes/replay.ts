/** A client that answers reads from a recording, in place of a server. */
import { Client } from './client.ts'
import type { KubernetesClient } from './client.types.ts'
import { ConnectionError } from './errors.ts'
import type {
  RecordedExchange,
  RecordedRequest,
  Recorder,
  Recording,
  Transport,
  TransportRequest,
} from './transport.types.ts'

/** A recorder that keeps what it is told, in order; `recording` is what `replayClient` takes. */
export function keepRecording(): Recorder & { recording: RecordedExchange[] } {
  const recording: RecordedExchange[] = []
  return { recording, record: (request, response) => void recording.push({ request, response }) }
}

/**
 * A client over a recording; of several answers to one request the last counts. Writes, watches and reads that were
 * not recorded throw ConnectionError with code ENOTRECORDED: they must not pass for "not found".
 */
export function replayClient(
  recording: Recording,
  connection: KubernetesClient['connection'] = { server: 'recording', namespace: 'default' },
): KubernetesClient {
  return new Client({ transport: replayTransport(recording), connection, fieldManager: 'kubectl-airunway' })
}

function replayTransport(recording: Recording): Transport {
  const answers = new Map(recording.map(({ request, response }) => [keyOf(request), response]))
  const missing = (request: TransportRequest) =>
    new ConnectionError({
      code: 'ENOTRECORDED',
      server: 'recording',
      message: `the recording has no answer to ${request.method} ${request.path}`,
    })
  return {
    async request(request) {
      request.signal?.throwIfAborted()
      const answer = answers.get(keyOf({ ...request, ...acceptOf(request) }))
      if (!answer) throw missing(request)
      return { status: answer.status, headers: {}, text: answer.body }
    },
    async open(request) {
      throw missing(request)
    },
    async close() {},
  }
}

function acceptOf(request: TransportRequest): { accept?: string } {
  const { accept } = request.headers
  return typeof accept === 'string' && accept !== 'application/json' ? { accept } : {}
}

function keyOf({ method, path, accept, body }: RecordedRequest): string {
  return JSON.stringify([method, path, accept ?? '', method === 'GET' ? '' : (body ?? '')])
}
