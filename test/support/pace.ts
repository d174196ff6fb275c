/** Stand-ins that wait less than they would, for stories in which the waiting proves nothing. */
export const PACE = { leaseRetrySeconds: 0.2, probeSeconds: 0.2 }
