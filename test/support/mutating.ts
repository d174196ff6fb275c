/** Somebody's mutating webhook for a kind, served in the test's own process. */
import type { AnyObject } from '../../src/kubernetes/objects.ts'
import { issueServingCertificates } from '../../src/playground/standins/certificates.ts'
import { jsonLog } from '../../src/playground/standins/log.ts'
import { serveWebhooks, type WebhookServer } from '../../src/playground/standins/webhook-server.ts'
import { type ControlPlane, eventually } from './control-plane.ts'
import { group, type MovingKind } from './migrating.ts'

type Patch = (metadata: AnyObject['metadata']) => { op: string; path: string; value: unknown }[]

const probe = [{ op: 'add', path: '/metadata/labels', value: { mutated: 'yes' } }]
const reference = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration' }

export class MutatingWebhook implements AsyncDisposable {
  /** what it changes of an object that is updated */
  patch: Patch = () => []
  readonly #cluster: ControlPlane
  readonly #name: string
  #server: WebhookServer | undefined

  private constructor(cluster: ControlPlane, name: string) {
    this.#cluster = cluster
    this.#name = name
  }

  /** Starts it, and waits until the API server asks it. */
  static async start({ client, ...cluster }: ControlPlane, kind: MovingKind): Promise<MutatingWebhook> {
    const made = new MutatingWebhook({ client, ...cluster }, `mutates-${kind.plural}`)
    const certificates = issueServingCertificates('localhost', new Date())
    made.#server = await serveWebhooks({
      port: 0,
      certificate: { certificate: certificates['tls.crt'], key: certificates['tls.key'] },
      routes: new Map([['/mutate', (request: unknown) => made.#answer(request as { object: AnyObject })]]),
      log: jsonLog((line) => process.stderr.write(line), 'mutating'),
    })
    const caBundle = Buffer.from(certificates['ca.crt']).toString('base64')
    await client.create({
      ...reference,
      metadata: { name: made.#name },
      webhooks: [
        {
          name: 'mutates.example.com',
          clientConfig: { url: `https://localhost:${made.#server.port}/mutate`, caBundle },
          rules: [{ apiGroups: [group], apiVersions: ['*'], operations: ['UPDATE'], resources: [kind.plural] }],
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    })
    made.patch = () => probe
    await eventually(async () => {
      const { metadata } = await client.patch(kind.reference('w-0'), {}, { type: 'merge', dryRun: true })
      return metadata.labels?.['mutated'] === 'yes'
    })
    made.patch = () => []
    return made
  }

  #answer({ object }: { object: AnyObject }): Record<string, unknown> {
    const patch = this.patch(object.metadata)
    if (patch.length === 0) return { allowed: true }
    return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster.client.delete({ ...reference, name: this.#name })
    await this.#server?.close()
  }
}
