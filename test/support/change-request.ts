/** What a service that changes a cluster is given in tests: the administrator, who says yes. */
import { silentProgress } from '../../src/report/progress.ts'
import type { ChangeRequest } from '../../src/services/run-plan.ts'
import type { ControlPlane } from './control-plane.ts'

export const changeRequest = (cluster: ControlPlane): ChangeRequest => ({
  connection: { kubeconfig: cluster.kubeconfig },
  recordNamespace: 'airunway-runs',
  now: () => new Date(),
  today: new Date('2026-11-22'),
  progress: silentProgress,
  signal: new AbortController().signal,
  confirm: async () => true,
})
