import { expect, test } from 'vitest'
import { failedSince, type Phase } from '../../../src/gates/phases.ts'

const phase = (name: string, failed: boolean, uid = name): Phase => ({ name, uid, failed })

test('only what has failed since and was there before counts', () => {
  const before = [phase('a/well', false), phase('a/ill', true), phase('a/gone', false), phase('a/anew', false, 'first')]
  const after = [phase('a/well', true), phase('a/ill', true), phase('a/new', true), phase('a/anew', true, 'second')]
  expect(failedSince(before, after)).toEqual(['a/well'])
  expect(failedSince(before, before)).toEqual([])
  expect(failedSince(after, before)).toEqual([])
})
