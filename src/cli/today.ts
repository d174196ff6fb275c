/** The date that support tables are read by. */
import { Refusal } from '../report/refusal.ts'

/**
 * Today, or `AIRUNWAY_TODAY` (an ISO date), so that a report can be made again as it was on a day. Only what is judged by
 * the calendar goes by it: Leases, heartbeats and records go by the clock, because the cluster does.
 * Throws Refusal (usage) where the variable holds no date.
 */
export const todayFrom = (env: Readonly<Record<string, string | undefined>>): Date => {
  const given = env['AIRUNWAY_TODAY']
  if (given === undefined || given === '') return new Date()
  const date = new Date(given)
  if (Number.isNaN(date.getTime())) throw new Refusal('usage', `AIRUNWAY_TODAY is no date: ${JSON.stringify(given)}`)
  return date
}
