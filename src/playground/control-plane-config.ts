/** Who may log in to a playground, and how: tokens, kubeconfigs, audit policy, egress selector. All values, no files. */
import { createSign } from 'node:crypto'

export interface ControlPlaneUser {
  name: string
  token: string
  groups: string[]
}

/** Groups and names of the users that every playground has. */
export const userNames = {
  admin: 'playground-admin',
  kubelet: 'playground-kubelet',
  viewer: 'playground-viewer',
} as const

/** The group that is bound to the ClusterRole `view`. */
export const viewersGroup = 'playground-viewers'

/** A token file of the API server: token, user, uid, "groups". Pure. */
export function tokenFile(users: ControlPlaneUser[]): string {
  return users.map((user) => `${user.token},${user.name},${user.name},"${user.groups.join(',')}"\n`).join('')
}

/** User and token of each line of such a file. Pure. */
export function savedTokens(file: string): [user: string, token: string][] {
  return file.split('\n').flatMap((line) => {
    const [token, name] = line.split(',')
    return token && name ? [[name, token]] : []
  })
}

/** What a kubeconfig's user logs in with. */
export type Credential = { token: string } | { certificate: string; key: string }

/**
 * A kubeconfig with one context, named like its user.
 * @param authority PEM of what signed the API server's certificate
 */
export function kubeconfig(server: string, authority: string, userName: string, credential: Credential): unknown {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const user =
    'token' in credential
      ? { token: credential.token }
      : { 'client-certificate-data': base64(credential.certificate), 'client-key-data': base64(credential.key) }
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'playground', cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [{ name: userName, user }],
    contexts: [{ name: userName, context: { cluster: 'playground', user: userName } }],
    'current-context': userName,
  }
}

/**
 * All writes of everybody with their metadata. Leases and events are left out, for they are the noise of every cluster.
 * The first rule that matches decides (audit policy of kube-apiserver).
 */
export function auditPolicy(): unknown {
  return {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [
      {
        level: 'None',
        resources: [
          { group: 'coordination.k8s.io', resources: ['leases'] },
          { group: '', resources: ['events'] },
          { group: 'events.k8s.io', resources: ['events'] },
        ],
      },
      { level: 'Metadata', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] },
      { level: 'None' },
    ],
  }
}

/** `cluster` is the API server's word for nodes, pods and services: webhooks and aggregated APIs. */
export function egressSelector(socket: string): unknown {
  return {
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: [
      {
        name: 'cluster',
        connection: { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName: socket } } },
      },
    ],
  }
}

/**
 * A service account token that the API server's own key signed and that is over: the true shape of credentials that
 * expired. The API server answers it 401.
 */
export function expiredToken(serviceAccountKey: string, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1000)
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = part({ alg: 'RS256', typ: 'JWT' })
  const claims = part({
    aud: ['https://kubernetes.default.svc'],
    iss: 'https://kubernetes.default.svc',
    sub: 'system:serviceaccount:default:default',
    iat: seconds - 7200,
    nbf: seconds - 7200,
    exp: seconds - 3600,
    'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'default', uid: 'expired' } },
  })
  const signature = createSign('RSA-SHA256').update(`${header}.${claims}`).sign(serviceAccountKey, 'base64url')
  return `${header}.${claims}.${signature}`
}
