/** The cluster's own migrator: what its object says, and what it is asked with. */
import { describe, expect, test } from 'vitest'
import type { Condition } from '../../../src/kubernetes/objects.ts'
import { type InTreeStanding, migrationObject, standingOfMigration } from '../../../src/migration/in-tree.ts'
import { target } from './pass-server.ts'

const made = (conditions?: Condition[]) => ({
  ...migrationObject(target, 'v1'),
  ...(conditions && { status: { conditions } }),
})
const running: Condition = { type: 'Running', status: 'True' }

describe('how far it is', () => {
  test.each<[string, ReturnType<typeof made> | undefined, InTreeStanding]>([
    ['gone', undefined, { state: 'gone' }],
    ['no status', made(), { state: 'waiting' }],
    ['not running yet', made([{ ...running, status: 'False' }]), { state: 'waiting' }],
    ['running', made([running]), { state: 'running' }],
    [
      'succeeded',
      made([
        { ...running, status: 'False' },
        { type: 'Succeeded', status: 'True' },
      ]),
      { state: 'succeeded' },
    ],
    ['succeeded, running still', made([running, { type: 'Succeeded', status: 'True' }]), { state: 'succeeded' }],
    ['failed', made([{ type: 'Failed', status: 'True', message: 'denied' }]), { state: 'failed', why: 'denied' }],
    [
      'failed without a word',
      made([{ type: 'Failed', status: 'True' }]),
      { state: 'failed', why: 'it does not say why' },
    ],
    [
      'failed and succeeded',
      made([
        { type: 'Succeeded', status: 'True' },
        { type: 'Failed', status: 'True', reason: 'X' },
      ]),
      { state: 'failed', why: 'X' },
    ],
  ])('%s', (_, object, standing) => {
    expect(standingOfMigration(object)).toEqual(standing)
  })
})

describe('what it is asked with', () => {
  test.each([
    ['v1', { group: 'bench.example', resource: 'widgets' }],
    ['v1beta1', { group: 'bench.example', resource: 'widgets' }],
    ['v1alpha1', { group: 'bench.example', resource: 'widgets', version: 'v1' }],
  ])('%s', (version, resource) => {
    const object = migrationObject(target, version)
    expect(object.spec).toEqual({ resource })
    expect(object.apiVersion).toBe(`storagemigration.k8s.io/${version}`)
    expect(object.metadata.name).toBe(`airunway-widgets.bench.example-${target.generation}`)
  })
})
