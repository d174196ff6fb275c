/** Restored clusters one after the other, the next one started while the one before it is used. */
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts'
import { PACE } from '../support/pace.ts'

export interface RestoredClusters {
  /** the cluster for the next of the folders, in their order; it belongs to the caller, who stops it */
  next(): Promise<ControlPlane>
  /** stops what was started and not taken */
  close(): Promise<void>
}

export function restoredClusters(folders: readonly string[]): RestoredClusters {
  const left = [...folders]
  let started: Promise<ControlPlane> | undefined
  const start = (): Promise<ControlPlane> | undefined => {
    const saved = left.shift()
    const cluster = saved === undefined ? undefined : startControlPlane({ saved, pace: PACE })
    // Whoever takes it hears of a failure; nobody may.
    cluster?.catch(() => undefined)
    return cluster
  }
  return {
    next: async () => {
      const cluster = started ?? start()
      if (cluster === undefined) throw new Error('there are no more clusters')
      const taken = await cluster
      started = start()
      return taken
    },
    close: async () => {
      left.length = 0
      await (await started?.catch(() => undefined))?.stop()
    },
  }
}
