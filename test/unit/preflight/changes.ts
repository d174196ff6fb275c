/** One change each to a sample cluster. */
import type { CheckContext, ReleaseContext } from '../../../src/preflight/check.types.ts'
import { at, crd, must } from './samples.ts'

export function server(context: CheckContext, minor: number, time?: string): void {
  context.inventory.server = { major: 1, minor, gitVersion: `v1.${minor}.0` }
  at(context.inventory.nodes, 0).kubeletVersion = `v1.${minor}.0`
  if (time) {
    context.today = new Date(time)
  }
}

/** Far from today, so only the skew is looked at: the rest of the findings is about the age of the server. */
export function oldSkew(context: CheckContext, minor: number, kubeletVersion: string): void {
  server(context, minor)
  range(context, '1.20 - 1.36')
  context.kubernetesSupport.minors.push({ minor: `1.${minor}`, endOfLife: '2099-01-01', lastPatch: `1.${minor}.0` })
  kubelet(context, kubeletVersion)
}

export function kubelet(context: CheckContext, kubeletVersion: string, kubeProxyVersion?: string): void {
  Object.assign(at(context.inventory.nodes, 0), { kubeletVersion, ...(kubeProxyVersion && { kubeProxyVersion }) })
}

export function row(context: CheckContext) {
  return at(at(context.compatibility, 0).rows, 0)
}

export function range(context: CheckContext, kubernetesRange: string): void {
  row(context).kubernetes = kubernetesRange
}

export function find(context: CheckContext, name: string) {
  return must(context.inventory.operators.find((candidate) => candidate.name === name))
}

export function setOperator(context: CheckContext, name: string, version: string): void {
  find(context, name).version = { known: true, version, evidence: 'image tag', detail: '' }
}

export function stopped(context: CheckContext, name: string, replicas: number): void {
  Object.assign(find(context, name), { replicas, readyReplicas: 0 })
}

export function dropOperator(context: CheckContext, name: string): void {
  context.inventory.operators = context.inventory.operators.filter((candidate) => candidate.name !== name)
}

export function crdOf(context: CheckContext, name: string) {
  return must(context.inventory.crds.find((candidate) => candidate.name === name))
}

export function setCrd(context: CheckContext, name: string, versions: string[]): void {
  Object.assign(crdOf(context, name), crd(name, crdOf(context, name).kind, versions))
}

export function stored(context: CheckContext, index: number, versions: string[], served: boolean): void {
  const state = at(context.inventory.crds, index)
  Object.assign(state, crd(state.name, state.kind, versions, { storedVersions: versions }))
  at(state.versions, 0).served = served
}

export function beat(context: CheckContext, lastHeartbeat: string, index = 0): void {
  must(at(context.inventory.shims, index).providerConfig).lastHeartbeat = lastHeartbeat
}

export function running(context: CheckContext, version: string): void {
  at(context.inventory.installs, 0).version = { known: true, version, evidence: 'image tag', detail: '' }
}

export function to(context: ReleaseContext, version: string): void {
  context.release.version = version
  at(at(context.compatibility, 0).rows, 0).controller = '>=0.1.0'
}
