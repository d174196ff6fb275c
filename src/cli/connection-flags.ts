/** kubectl's connection flags: kubectl refuses flags before a plugin's name, so the plugin defines them itself. */
import { boolean, string } from '@oclif/core/flags'
import type { ConnectionFlags } from '../kubernetes/client.types.ts'

const helpGroup = 'CONNECTION'

/** The flags, with kubectl's names and short forms. */
export const connectionFlags = {
  kubeconfig: string({ helpGroup, helpValue: 'FILE', summary: 'kubeconfig file to use' }),
  context: string({ helpGroup, helpValue: 'NAME', summary: 'kubeconfig context to use' }),
  cluster: string({ helpGroup, helpValue: 'NAME', summary: 'kubeconfig cluster to use' }),
  user: string({ helpGroup, helpValue: 'NAME', summary: 'kubeconfig user to use' }),
  namespace: string({ helpGroup, char: 'n', helpValue: 'NAME', summary: 'namespace of this request' }),
  as: string({ helpGroup, helpValue: 'USER', summary: 'user to impersonate' }),
  'as-group': string({
    helpGroup,
    helpValue: 'GROUP',
    multiple: true,
    multipleNonGreedy: true,
    summary: 'group to impersonate, repeatable',
  }),
  'as-uid': string({ helpGroup, helpValue: 'UID', summary: 'UID to impersonate' }),
  server: string({ helpGroup, char: 's', helpValue: 'URL', summary: 'address of the API server' }),
  token: string({ helpGroup, helpValue: 'TOKEN', summary: 'bearer token' }),
  'request-timeout': string({ helpGroup, helpValue: 'TIME', summary: 'give up on a request after, such as 30s' }),
  'insecure-skip-tls-verify': boolean({ helpGroup, summary: 'do not check the server certificate' }),
  'tls-server-name': string({ helpGroup, helpValue: 'NAME', summary: 'name the server certificate must carry' }),
  'certificate-authority': string({ helpGroup, helpValue: 'FILE', summary: 'certificate authority of the server' }),
  'client-certificate': string({ helpGroup, helpValue: 'FILE', summary: 'client certificate' }),
  'client-key': string({ helpGroup, helpValue: 'FILE', summary: 'client key' }),
}

/** Parsed flags as the client wants them. */
export const toConnectionFlags = (flags: Record<string, unknown>): ConnectionFlags =>
  Object.fromEntries(
    Object.keys(connectionFlags)
      .filter((name) => flags[name] !== undefined)
      .map((name) => [name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()), flags[name]]),
  )
