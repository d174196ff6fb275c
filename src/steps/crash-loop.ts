/** Tells a container that crashes again and again from one that is slow to start. */
import type { ContainerStatus, Pod } from '../kubernetes/objects.ts'

/** A controller may crash once or twice while what it needs is still on its way. */
const CRASHES = 3

interface ContainerStates {
  state?: { waiting?: { reason?: string } }
  lastState?: { terminated?: { exitCode?: number; reason?: string; message?: string } }
}

/**
 * Gives a function that is shown the pods at every look, and says which container the kubelet holds back (CrashLoopBackOff)
 * after three restarts since the first look. Restarts before it do not count: that crash may have had its reason in what
 * has been put right since, and the kubelet waits up to five minutes before it tries again.
 */
export const watchForCrashes = (): ((pods: readonly Pod[]) => string | undefined) => {
  const first = new Map<string, number>()
  return (pods) => {
    for (const pod of pods)
      for (const status of pod.status?.containerStatuses ?? []) {
        const key = `${pod.metadata.uid}/${status.name}`
        const before = first.get(key) ?? status.restartCount
        first.set(key, before)
        const { state } = status as ContainerStates
        const crashes = status.restartCount - before
        if (state?.waiting?.reason === 'CrashLoopBackOff' && crashes >= CRASHES) return crashText(pod, status, crashes)
      }
    return undefined
  }
}

const crashText = ({ metadata }: Pod, status: ContainerStatus, crashes: number): string => {
  const { terminated } = (status as ContainerStates).lastState ?? {}
  const end = terminated === undefined ? '' : `, at last with exit code ${terminated.exitCode} (${terminated.reason})`
  const words = terminated?.message === undefined ? '' : `: ${terminated.message.trim()}`
  const namespace = metadata.namespace === undefined ? '' : ` -n ${metadata.namespace}`
  return `${metadata.name} crashes again and again: its container ${status.name} ended ${crashes} times${end}${words}. What it said: kubectl logs${namespace} ${metadata.name} -c ${status.name} --previous`
}
