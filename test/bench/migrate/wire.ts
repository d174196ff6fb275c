/** The least that there can be between Node.js and an API server: one pool of connections, and who is asking. */
import { readFileSync } from 'node:fs'
import { Pool } from 'undici'
import { parse } from 'yaml'

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[]
  users: { user: { token: string } }[]
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

export interface Ask {
  accept?: string
  body?: string
  /** of the body: JSON unless told otherwise */
  contentType?: string
}

export interface Wire {
  /** @throws Error for any answer that is neither a success nor 404 */
  send(method: Method, path: string, ask?: Ask): Promise<{ status: number; text: string }>
  close(): Promise<void>
}

/**
 * Connections to the first cluster of a kubeconfig as its first user, who has to have a token: that is how the playground
 * writes them. Nothing is sent twice and nothing is limited, so that what is measured is the server.
 */
export function openWire(kubeconfig: string, connections: number): Wire {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig
  const [cluster, user] = [clusters[0]?.cluster, users[0]?.user]
  if (cluster === undefined || user === undefined) throw new Error(`${kubeconfig} names no cluster or no user`)
  const pool = new Pool(cluster.server, {
    connections,
    connect: { ca: Buffer.from(cluster['certificate-authority-data'], 'base64') },
  })
  const authorization = `Bearer ${user.token}`
  return {
    send: async (method, path, { accept = 'application/json', body, contentType = 'application/json' } = {}) => {
      const headers = { authorization, accept, ...(body !== undefined && { 'content-type': contentType }) }
      const answer = await pool.request({ method, path, headers, body: body ?? null })
      const text = await answer.body.text()
      if (answer.statusCode >= 400 && answer.statusCode !== 404) {
        throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`)
      }
      return { status: answer.statusCode, text }
    },
    close: () => pool.close(),
  }
}

/** Does `work` for each entry, at most `inFlight` at a time. */
export async function inFlight<T>(
  most: number,
  entries: IterableIterator<T>,
  work: (entry: T) => Promise<void>,
): Promise<void> {
  // One iterator for all workers: whoever is free takes the next.
  const worker = async () => {
    for (const entry of entries) await work(entry)
  }
  await Promise.all(Array.from({ length: most }, worker))
}
