/** Pod addresses, and the local ports that stand for their ports. The egress proxy asks here. */
import type { Ports } from './ports.ts'

export class PodAddresses {
  readonly #ports: Ports
  readonly #pods = new Map<string, { wanted: number[]; open: Map<number, number> }>()
  #next = 0

  constructor(ports: Ports) {
    this.#ports = ports
  }

  /**
   * A new address in 10.244.0.0/16 for a pod with these ports; an address is not used twice.
   * @param before the one it has already, as its status says: a pod keeps it when its kubelet starts again
   */
  assign(wanted: number[], before?: string): string {
    const address = before !== undefined && !this.#pods.has(before) ? before : this.#unused()
    this.#pods.set(address, { wanted, open: new Map() })
    return address
  }

  #unused(): string {
    for (;;) {
      // From 10.244.1.1 on, without .0 and .255; after 64,516 pods it starts again.
      const number = this.#next++ % (254 * 254)
      const address = `10.244.${1 + Math.floor(number / 254)}.${1 + (number % 254)}`
      if (!this.#pods.has(address)) return address
    }
  }

  /**
   * Takes fresh local ports for all ports of a pod, instead of those it had.
   * @returns container port -> port on 127.0.0.1
   */
  async openPorts(address: string): Promise<Record<string, number>> {
    const pod = this.#pods.get(address)
    if (!pod) throw new Error(`no pod has the address ${address}`)
    const open = new Map<number, number>()
    for (const port of pod.wanted) open.set(port, await this.#ports.take())
    for (const local of pod.open.values()) this.#ports.release(local)
    pod.open = open
    return this.ports(address)
  }

  /** The local ports that a pod has now, by container port. */
  ports(address: string): Record<string, number> {
    const open = this.#pods.get(address)?.open ?? new Map<number, number>()
    return Object.fromEntries([...open].map(([port, local]) => [String(port), local]))
  }

  /** The port on 127.0.0.1 behind a pod's port. */
  route(address: string, port: number): number | undefined {
    return this.#pods.get(address)?.open.get(port)
  }

  release(address: string): void {
    for (const local of this.#pods.get(address)?.open.values() ?? []) this.#ports.release(local)
    this.#pods.delete(address)
  }
}
