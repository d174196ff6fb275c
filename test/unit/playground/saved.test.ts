import { describe, expect, test } from 'vitest'
import { savedTokens, tokenFile } from '../../../src/playground/control-plane-config.ts'
import { PodAddresses } from '../../../src/playground/pod-addresses.ts'
import { Ports } from '../../../src/playground/ports.ts'

describe('a playground that starts as another one was', () => {
  test('has the tokens of its users', () => {
    const users = [
      { name: 'admin', token: 'a1', groups: ['system:masters'] },
      { name: 'viewer', token: 'b2', groups: ['one', 'two'] },
    ]
    expect(savedTokens(tokenFile(users))).toEqual([
      ['admin', 'a1'],
      ['viewer', 'b2'],
    ])
    expect(savedTokens('')).toEqual([])
  })

  test('leaves pods their addresses, and gives none of them to another pod', () => {
    const addresses = new PodAddresses(new Ports())
    expect(addresses.assign([], '10.244.1.2')).toBe('10.244.1.2')
    expect(addresses.assign([])).toBe('10.244.1.1')
    expect(addresses.assign([])).toBe('10.244.1.3')
    // Two that claim the same: the first one has it.
    expect(addresses.assign([], '10.244.1.2')).toBe('10.244.1.4')
    addresses.release('10.244.1.2')
    expect(addresses.assign([], '10.244.1.2')).toBe('10.244.1.2')
  })
})
