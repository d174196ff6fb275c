import { describe, expect, it } from 'vitest'
import type { ModelDeployment } from '../../../../src/playground/standins/model-deployment.ts'
import { reconcileSeconds } from '../../../../src/playground/standins/slow-reconcile.ts'

const make = (seconds?: string): ModelDeployment => ({
  apiVersion: 'g/v1',
  kind: 'ModelDeployment',
  metadata: {
    name: 'm',
    namespace: 'n',
    ...(seconds === undefined ? {} : { annotations: { 'g/reconcile-seconds': seconds } }),
  },
  spec: {},
})

describe('how long a reconcile lasts', () => {
  it.each([
    ['nothing said', undefined, undefined, 0],
    ['the container says', undefined, '8', 8],
    ['the object says', '2.5', undefined, 2.5],
    ['both say', '0', '8', 0],
    ['no number', 'long', undefined, 0],
    ['less than nothing', '-1', undefined, 0],
  ])('%s', (_, annotation, variable, seconds) => {
    expect(reconcileSeconds(make(annotation), 'g', { AIRUNWAY_RECONCILE_SECONDS: variable })).toBe(seconds)
  })
})
