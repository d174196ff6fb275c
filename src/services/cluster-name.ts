/** Which cluster a result is about, for its header. Never credentials. */
import type { KubernetesClient } from '../kubernetes/client.types.ts'

export interface ClusterName {
  context?: string
  server: string
  user?: string
}

export const clusterOf = (client: KubernetesClient): ClusterName => {
  const { context, server, user } = client.connection
  return { ...(context === undefined ? {} : { context }), server, ...(user === undefined ? {} : { user }) }
}
