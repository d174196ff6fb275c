import { expect, test } from 'vitest'
import type { Pod } from '../../../src/kubernetes/objects.ts'
import { watchForCrashes } from '../../../src/steps/crash-loop.ts'

const backOff = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 20s' } }
const running = { running: { startedAt: '2026-11-22T12:00:00Z' } }
const pod = (restartCount: number, state: object = backOff, change: { uid?: string; message?: string } = {}): Pod => {
  const terminated = { exitCode: 1, reason: 'Error', ...(change.message && { message: change.message }) }
  const status = {
    name: 'manager',
    image: 'i',
    imageID: '',
    ready: false,
    restartCount,
    state,
    lastState: { terminated },
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'c-1', namespace: 'n', uid: change.uid ?? 'u' },
    spec: { containers: [{ name: 'manager', image: 'i' }] },
    status: { containerStatuses: [status] },
  }
}

const table: [what: string, looks: Pod[][], crashes: boolean][] = [
  ['three restarts and held back', [[pod(0)], [pod(1)], [pod(3)]], true],
  ['two restarts', [[pod(0)], [pod(2)]], false],
  ['three restarts, and running again', [[pod(0)], [pod(3, running)]], false],
  ['crashes before the first look', [[pod(6)], [pod(6)]], false],
  ['crashes before the first look, and three since', [[pod(6)], [pod(9)]], true],
  ['another pod each time', [[pod(0)], [pod(3, backOff, { uid: 'v' })]], false],
  ['no pod', [[], []], false],
]
test.each(table)('%s: %s', (_, looks, crashes) => {
  const crashOf = watchForCrashes()
  const found = looks.map((pods) => crashOf(pods))
  expect(found.at(-1) !== undefined).toBe(crashes)
  expect(found.slice(0, -1).every((text) => text === undefined)).toBe(true)
})

test('the text names the pod, how it ended, its last words, and where to read more', () => {
  const crashOf = watchForCrashes()
  crashOf([pod(0)])
  expect(crashOf([pod(3, backOff, { message: 'no such file\n' })])).toBe(
    'c-1 crashes again and again: its container manager ended 3 times, at last with exit code 1 (Error): no such file. What it said: kubectl logs -n n c-1 -c manager --previous',
  )
})
