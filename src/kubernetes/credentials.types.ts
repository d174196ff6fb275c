/** Who a request is from. */
import type { Headers } from './transport.types.ts'

export interface ClientCertificate {
  /** PEM */
  certificate: string
  /** PEM */
  key: string
}

export interface Credential {
  headers: Headers
  clientCertificate?: ClientCertificate
}

export interface CredentialSource {
  /** The credential to use now; renewed before it ends. */
  current(): Credential | Promise<Credential>
  /** After 401: a newer credential than the one that was refused, or undefined where there is none. */
  renew(refused: Credential): Promise<Credential | undefined>
}
