import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ObjectReference } from '../../kubernetes/objects.ts'
import type { ControllerProgram } from '../programs.ts'
import { startCertificateRotator } from './certificate-rotator.ts'
import { bootstrapCertificate } from './certificates.ts'
import type { StandinContext } from './context.types.ts'
import { controllerStatus, type RegisteredProvider, statusPatch } from './controller-status.ts'
import { reconcileModelDeployments } from './deployment-queue.ts'
import { isOn } from './environment.ts'
import { objectKey, startInformer } from './informer.ts'
import { type InferenceProviderConfig, isPaused } from './model-deployment.ts'
import { writeStatus } from './object-writes.ts'
import { decodeEngines } from './provider-config.ts'
import { runAsLeader } from './run-as-leader.ts'
import { type Traits, traitsOf } from './traits.ts'
import { serveWebhooks, type WebhookServer, webhookRoutes } from './webhook-server.ts'

const webhookPort = 9443
const certificateFolder = '/tmp/k8s-webhook-server/serving-certs'

/**
 * Stands for a product's controller. Webhooks and certificate rotation run in every replica, the reconciler in the leader
 * only. `ENABLE_WEBHOOKS=false` turns the former off, `--disable-cert-rotation` the rotation. Gives the exit code.
 */
export async function runController(context: StandinContext, program: ControllerProgram): Promise<number> {
  const traits = traitsOf(program.product, program.version)
  const server = isOn(context.environment.variables['ENABLE_WEBHOOKS'], true)
    ? await startWebhooks(context, program, traits)
    : undefined
  try {
    return await runAsLeader(context, program.product.controller.lease, async (stop) => {
      startReconciling({ ...context, signal: stop }, program, traits)
    })
  } finally {
    await server?.close()
  }
}

async function startWebhooks(
  { client, environment, log, signal }: StandinContext,
  { product }: ControllerProgram,
  traits: Traits,
): Promise<WebhookServer> {
  const service = environment.flags.get('cert-service-name') ?? product.controller.webhookService
  const dnsName = `${service}.${environment.namespace}.svc`
  const server = await serveWebhooks({
    port: environment.ports.get(webhookPort) ?? webhookPort,
    certificate: bootstrapCertificate(dnsName, new Date()),
    routes: webhookRoutes(product.group, traits),
    log,
  })
  if (isOn(environment.flags.get('disable-cert-rotation'), false)) {
    const folder = environment.volumes.get(certificateFolder) ?? certificateFolder
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
    server.use({ certificate: read('tls.crt'), key: read('tls.key') })
    return server
  }
  await startCertificateRotator({
    client,
    secret: {
      apiVersion: 'v1',
      kind: 'Secret',
      namespace: environment.namespace,
      name: product.controller.webhookSecret,
    },
    dnsName,
    targets: caTargets(product, traits),
    log,
    signal,
    // once: a later rotation of the leaf is not picked up by a running pod
    onReady: (certificate) => {
      server.use(certificate)
      log.info('webhook server uses the certificate of the Secret')
    },
  })
  return server
}

function caTargets(product: ControllerProgram['product'], traits: Traits): ObjectReference[] {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
  return [
    { apiVersion, kind: 'MutatingWebhookConfiguration', name: product.controller.mutatingWebhook },
    { apiVersion, kind: 'ValidatingWebhookConfiguration', name: product.controller.validatingWebhook },
    ...(traits.conversion ? [{ ...crd, name: product.crds.modelDeployments }] : []),
  ]
}

function startReconciling(context: StandinContext, { product }: ControllerProgram, traits: Traits): void {
  const { client, log, signal } = context
  const { deployments, queue } = reconcileModelDeployments(context, traits, async (key) => {
    await configs.whenSynced()
    const object = deployments.get(key)
    if (!object || isPaused(object, product.pausedAnnotation) || object.metadata.deletionTimestamp) return undefined
    const providers = configs.items().map((config) => registeredProvider(config, traits))
    const status = controllerStatus(object, providers, new Date())
    await writeStatus(context, object, statusPatch(object.status, status))
    return undefined
  })
  const configs = startInformer<InferenceProviderConfig>({
    client,
    collection: { apiVersion: traits.apiVersion, kind: 'InferenceProviderConfig' },
    decode: (object) => {
      decodeEngines(object, traits.engines)
      return object
    },
    log,
    signal,
    onEvent: () => {
      for (const object of deployments.items()) queue.add(objectKey(object))
    },
  })
}

const registeredProvider = (config: InferenceProviderConfig, traits: Traits): RegisteredProvider => ({
  name: config.metadata.name,
  ready: config.status?.ready === true,
  engines: decodeEngines(config, traits.engines),
})
