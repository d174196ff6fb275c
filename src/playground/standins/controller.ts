import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { ObjectReference } from '../../kubernetes/objects.ts'
import type { ControllerProgram } from '../programs.ts'
import { startCertificateRotator } from './certificate-rotator.ts'
import { bootstrapCertificate } from './certificates.ts'
import type { StandinContext } from './context.types.ts'
import { controllerStatus, type RegisteredProvider, statusPatch } from './controller-status.ts'
import { reconcileModelDeployments } from './deployment-queue.ts'
import { migrateEngines } from './engine-migration.ts'
import { isOn, type StandinEnvironment } from './environment.ts'
import { objectKey, startInformer } from './informer.ts'
import { type InferenceProviderConfig, isPaused } from './model-deployment.ts'
import { writeStatus } from './object-writes.ts'
import { decodeEngines } from './provider-config.ts'
import { aborted, type Drained, runAsLeader } from './run-as-leader.ts'
import { takingItsTime } from './slow-reconcile.ts'
import { type Traits, traitsOf } from './traits.ts'
import { type Served, serveWebhooks, type WebhookServer, webhookRoutes } from './webhook-server.ts'

const webhookPort = 9443
const certificateFolder = '/tmp/k8s-webhook-server/serving-certs'

/**
 * Stands for a product's controller. Webhooks and certificate rotation run in every replica, the reconciler in the leader
 * only. `ENABLE_WEBHOOKS=false` turns the former off, except that with `--enable-conversion-webhook=true` conversion goes on;
 * `--disable-cert-rotation` turns the rotation off. Gives the exit code.
 */
export async function runController(context: StandinContext, program: ControllerProgram): Promise<number> {
  const traits = traitsOf(program.product, program.version)
  if (traits.fault === 'start') {
    context.log.error('unable to start manager', new Error(`version ${traits.version} cannot read its configuration`))
    return 1
  }
  const served = servedWebhooks(context.environment, traits)
  const server =
    served.admission || served.conversion ? await startWebhooks(context, program, traits, served) : undefined
  try {
    return await runAsLeader(context, program.product.controller.lease, async (stop) => {
      if (traits.fault === 'reconcile') return async () => undefined
      const leading = { ...context, signal: stop }
      await migrateEngines(leading, traits)
      return startReconciling(leading, program, traits)
    })
  } finally {
    await server?.close()
  }
}

/** What the variables and arguments of its container leave of what a version can serve. */
export function servedWebhooks(environment: Pick<StandinEnvironment, 'variables' | 'flags'>, traits: Traits): Served {
  const admission = isOn(environment.variables['ENABLE_WEBHOOKS'], true)
  return {
    admission,
    conversion: traits.conversion && isOn(environment.flags.get('enable-conversion-webhook'), admission),
  }
}

async function startWebhooks(
  { client, environment, log, signal }: StandinContext,
  { product }: ControllerProgram,
  traits: Traits,
  served: Served,
): Promise<WebhookServer> {
  const service = environment.flags.get('cert-service-name') ?? product.controller.webhookService
  const dnsName = `${service}.${environment.namespace}.svc`
  const server = await serveWebhooks({
    port: environment.ports.get(webhookPort) ?? webhookPort,
    certificate: bootstrapCertificate(dnsName, new Date()),
    routes: webhookRoutes(product.group, traits, served),
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
    targets: caTargets(product, served),
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

function caTargets(product: ControllerProgram['product'], served: Served): ObjectReference[] {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
  const admission = [
    { apiVersion, kind: 'MutatingWebhookConfiguration', name: product.controller.mutatingWebhook },
    { apiVersion, kind: 'ValidatingWebhookConfiguration', name: product.controller.validatingWebhook },
  ]
  return [
    ...(served.admission ? admission : []),
    ...(served.conversion ? [{ ...crd, name: product.crds.modelDeployments }] : []),
  ]
}

function startReconciling(context: StandinContext, { product }: ControllerProgram, traits: Traits): Drained {
  const { client, log, signal } = context
  const { deployments, queue } = reconcileModelDeployments(context, traits, async (key) => {
    if (!configs.synced) await Promise.race([configs.whenSynced(), aborted(signal)])
    if (signal.aborted) return undefined
    const object = deployments.get(key)
    if (!object || isPaused(object, product.pausedAnnotation) || object.metadata.deletionTimestamp) return undefined
    const providers = configs.items().map((config) => registeredProvider(config, traits))
    const status = controllerStatus(object, providers, new Date())
    await takingItsTime(context, object, product.group, () =>
      writeStatus(context, object, statusPatch(object.status, status)),
    )
    return undefined
  })
  const seen = new Map<string, unknown>()
  const configs = startInformer<InferenceProviderConfig>({
    client,
    collection: { apiVersion: traits.apiVersion, kind: 'InferenceProviderConfig' },
    decode: (object) => {
      decodeEngines(object, traits.engines)
      return object
    },
    log,
    signal,
    onEvent: (type, { metadata, spec, status }) => {
      // as the releases watch them: a heartbeat is no news, a provider that is not ready any more is news for everybody
      const told = type === 'DELETED' ? undefined : { uid: metadata.uid, spec, ready: status?.ready === true }
      if (isDeepStrictEqual(seen.get(metadata.name), told)) return
      seen.set(metadata.name, told)
      for (const object of deployments.items()) queue.add(objectKey(object))
    },
  })
  return () => queue.idle()
}

const registeredProvider = (config: InferenceProviderConfig, traits: Traits): RegisteredProvider => ({
  name: config.metadata.name,
  ready: config.status?.ready === true,
  engines: decodeEngines(config, traits.engines),
})
