/** Objects that an earlier process had rewritten, and kept as they were. */
import { describe, expect, test } from 'vitest'
import type { KubernetesClient, RawRequest } from '../../../src/kubernetes/client.types.ts'
import { parseExact } from '../../../src/kubernetes/exact-json.ts'
import { targetOf } from '../../../src/migration/target.ts'
import type { StepOf } from '../../../src/plan/plan.types.ts'
import { firstObjects } from '../../../src/steps/first-objects.ts'
import type { StepContext } from '../../../src/steps/step.types.ts'
import { definition, version } from '../migration/survey-definitions.ts'

const huge = '9007199254740993'
const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: {} } } } }

const widget = (resourceVersion: string): string =>
  `{"apiVersion":"example.com/v1alpha1","kind":"Widget","metadata":{"name":"w","namespace":"n","uid":"u","generation":1,"resourceVersion":"${resourceVersion}"},"spec":{"size":${huge}}}`

/** Stored in the storage version by now; whoever writes it again changes nothing. */
const client = {
  raw: async ({ path, method }: RawRequest) => ({
    status: 200,
    headers: {},
    text:
      method === 'GET' && !path.endsWith('/w')
        ? `{"apiVersion":"example.com/v1alpha1","kind":"WidgetList","metadata":{"resourceVersion":"9"},"items":[${widget('8')}]}`
        : widget('8'),
  }),
} as unknown as KubernetesClient

describe('objects that were kept', () => {
  test('are compared and kept again with the integers that they had', async () => {
    const live = definition({
      versions: [version('v1alpha1', {}, schema), version('v1beta1', { storage: true }, schema)],
      storedVersions: ['v1alpha1', 'v1beta1'],
      conversion: { strategy: 'Webhook' },
    })
    const target = targetOf(live)
    if ('message' in target) throw new Error(target.message)
    const saved: string[] = []
    const context = {
      client,
      run: 7,
      report: () => undefined,
      kept: async (_name: string, { exact = false } = {}) =>
        (exact ? parseExact : JSON.parse)(`[${widget('3')}]`) as unknown,
      keep: async (_name: string, value: unknown) => void saved.push(JSON.stringify(value)),
    } as unknown as StepContext
    const step = { definition: live.metadata.name, storageVersion: 'v1beta1' } as StepOf<'migrate'>
    expect(await firstObjects(step, { live, target }, context)).toMatchObject({ rewritten: 0 })
    expect(saved.length).toBeGreaterThan(0)
    for (const text of saved) expect(text).toContain(huge)
  })
})
