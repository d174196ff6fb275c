import { expect } from 'vitest'
import { convertModelDeployment } from '../../../src/playground/standins/conversion.ts'
import type { ModelDeployment, ModelDeploymentSpec } from '../../../src/playground/standins/model-deployment.ts'
import { alpha, beta } from '../sample-objects.ts'
import { type Chance, defined, type Property } from '../seeded.ts'

const engineOf = (chance: Chance, apiVersion: string) => {
  const length = chance.maybe(() => 1 + chance.below(9998))
  return defined({
    trustRemoteCode: chance.maybe(() => chance.flip()),
    type: chance.maybe(() => 'vllm'),
    // a stored object has its own version's default written out
    enablePrefixCaching: chance.flip(),
    ...(apiVersion === alpha
      ? { contextLength: length }
      : { maxModelLength: length, extraArgs: chance.maybe(() => chance.several(2, chance.text)) }),
  })
}

const demandOf = (chance: Chance, apiVersion: string) => {
  const accelerator = () => ({ count: chance.below(9), type: chance.text() })
  return defined({
    cpu: chance.maybe(chance.text),
    memory: chance.maybe(chance.text),
    ...(apiVersion === alpha
      ? { gpu: chance.maybe(accelerator) }
      : {
          accelerators: chance.maybe(() =>
            chance.several(3, () => defined({ ...accelerator(), memory: chance.maybe(chance.text) })),
          ),
        }),
  })
}

/** A ModelDeployment with whatever chance gives it of what its version has. */
export function modelDeployment(chance: Chance, apiVersion: string): ModelDeployment {
  const scaling = () =>
    defined({
      replicas: chance.below(9),
      strategy: apiVersion === beta ? chance.maybe(() => 'Recreate') : undefined,
    })
  const spec = defined({
    model: { id: 'x' },
    engine: engineOf(chance, apiVersion),
    provider: chance.maybe(() => ({ name: chance.text(), overrides: { deep: { list: [1, { x: chance.text() }] } } })),
    resources: chance.maybe(() => demandOf(chance, apiVersion)),
    scaling: chance.maybe(scaling),
  }) as ModelDeploymentSpec
  const annotations = chance.maybe(() => ({ note: chance.text() }))
  return {
    apiVersion,
    kind: 'ModelDeployment',
    metadata: { name: 'm', namespace: 'n', ...(annotations && { annotations }) },
    spec,
    status: { phase: chance.text(), observedGeneration: chance.below(9) },
  }
}

const survives = (from: string, to: string): Property => ({
  title: `${from} survives the way to ${to} and back`,
  holds: (chance) => {
    const object = modelDeployment(chance, from)
    const there = convertModelDeployment(object, to)
    expect(there.apiVersion).toBe(to)
    expect(convertModelDeployment(there, from)).toEqual(object)
  },
})

export const conversionProperties = [survives(alpha, beta), survives(beta, alpha)]
