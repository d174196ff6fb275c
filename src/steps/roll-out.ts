/** Waits until a Deployment runs the image, and only that. */
import type { Deployment } from '../kubernetes/objects.ts'
import { waitFor } from '../kubernetes/wait.ts'
import { podsOf, runs, troubleOf } from './pods-of-deployment.ts'
import { StepFailed, type StepHandler } from './step.types.ts'

export const rollOut: StepHandler<'roll-out'> = async (step, { client, signal, report }) => {
  const started = performance.now()
  const pods = await waitFor(
    async () => {
      const deployment = await client.get<Deployment>(step.deployment, signal)
      const wanted = deployment.spec.template.spec.containers.find(({ name }) => name === step.container)?.image
      if (wanted !== step.image)
        throw new StepFailed(`${step.deployment.name} is told to run ${wanted ?? 'nothing'} instead of ${step.image}.`)
      const all = await podsOf(client, deployment, signal)
      const { status = {}, spec, metadata } = deployment
      const replicas = spec.replicas ?? 1
      const others = all.filter((pod) => !runs(pod, step.image))
      const trouble = all
        .filter((pod) => runs(pod, step.image))
        .map(troubleOf)
        .find((text) => text !== undefined)
      if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0))
        return { done: false, seen: 'not seen by the deployment controller yet' }
      if ((status.updatedReplicas ?? 0) < replicas || (status.availableReplicas ?? 0) < replicas)
        return { done: false, seen: trouble ?? `${status.availableReplicas ?? 0} of ${replicas} pods available` }
      if (others.length > 0)
        return { done: false, seen: `waiting for ${others.map(({ metadata: { name } }) => name).join(', ')} to go` }
      return { done: true, value: all }
    },
    { what: `The roll-out of ${step.deployment.name}`, timeoutSeconds: step.timeoutSeconds, signal, onChange: report },
  )
  return { pods: pods.map((pod) => pod.metadata.name), seconds: Math.round((performance.now() - started) / 100) / 10 }
}
