/** The files and arguments of the three servers, as values. */
import { join } from 'node:path'
import { stringify } from 'yaml'
import { auditPolicy, type ControlPlaneUser, egressSelector, tokenFile } from './control-plane-config.ts'

export interface ServerPorts {
  etcd: number
  etcdPeer: number
  apiServer: number
  controllerManager: number
}

/** Where everything of one control plane lies. Pure. */
export function controlPlanePaths(directory: string) {
  return {
    auditLog: join(directory, 'audit.log'),
    auditPolicy: join(directory, 'audit-policy.yaml'),
    egressSelector: join(directory, 'egress-selector.yaml'),
    tokens: join(directory, 'tokens.csv'),
    serviceAccountKey: join(directory, 'service-account.key'),
    certificates: join(directory, 'certificates'),
    /** self-signed by the API server, with the authority behind it */
    servingCertificate: join(directory, 'certificates', 'apiserver.crt'),
    controllerManagerCertificates: join(directory, 'certificates-controller-manager'),
    clientAuthority: join(directory, 'client-ca.crt'),
    clientAuthorityKey: join(directory, 'client-ca.key'),
    controllerManagerKubeconfig: join(directory, 'controller-manager.kubeconfig'),
    kubeletKubeconfig: join(directory, 'kubelet.kubeconfig'),
    kubeconfig: join(directory, 'kubeconfig'),
    pods: join(directory, 'pods'),
    logs: join(directory, 'logs'),
  }
}

export type ControlPlanePaths = ReturnType<typeof controlPlanePaths>

/** What the servers read at start, by path. Pure. */
export function configurationFiles(
  paths: ControlPlanePaths,
  users: ControlPlaneUser[],
  socket: string,
): Record<string, string> {
  return {
    [paths.tokens]: tokenFile(users),
    [paths.auditPolicy]: stringify(auditPolicy()),
    [paths.egressSelector]: stringify(egressSelector(socket)),
  }
}

/** Pure. No fsync: a playground's data is thrown away with it, and a stalled disk would cost controllers their leases. */
export function etcdArguments(dataDirectory: string, ports: ServerPorts): string[] {
  const client = `http://127.0.0.1:${ports.etcd}`
  const peer = `http://127.0.0.1:${ports.etcdPeer}`
  return [
    `--data-dir=${dataDirectory}`,
    '--name=playground',
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=playground=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ]
}

/**
 * Pure. Aggregator routing makes the API server resolve a webhook's Service to a pod address by itself, and the egress
 * selector brings it there: together they replace kube-proxy and the pod network.
 */
export function apiServerArguments(paths: ControlPlanePaths, ports: ServerPorts): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${ports.apiServer}`,
    `--cert-dir=${paths.certificates}`,
    '--authorization-mode=RBAC',
    `--token-auth-file=${paths.tokens}`,
    `--client-ca-file=${paths.clientAuthority}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${paths.serviceAccountKey}`,
    `--service-account-signing-key-file=${paths.serviceAccountKey}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged=true',
    '--enable-aggregator-routing=true',
    `--egress-selector-config-file=${paths.egressSelector}`,
    `--audit-policy-file=${paths.auditPolicy}`,
    `--audit-log-path=${paths.auditLog}`,
    '--profiling=false',
  ]
}

/** Pure. Each controller uses its own service account, as in a real cluster, so that RBAC and the audit log tell them apart. */
export function controllerManagerArguments(paths: ControlPlanePaths, ports: ServerPorts): string[] {
  return [
    `--kubeconfig=${paths.controllerManagerKubeconfig}`,
    `--authentication-kubeconfig=${paths.controllerManagerKubeconfig}`,
    `--authorization-kubeconfig=${paths.controllerManagerKubeconfig}`,
    `--service-account-private-key-file=${paths.serviceAccountKey}`,
    `--root-ca-file=${paths.servingCertificate}`,
    '--use-service-account-credentials=true',
    // By default 20 requests a second: the 40 controllers would need 5 s to get their tokens.
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    // Its own port asks nobody who is asking: there is no aggregation layer's authority here to look up.
    '--authentication-skip-lookup=true',
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.controllerManager}`,
    `--cert-dir=${paths.controllerManagerCertificates}`,
    '--profiling=false',
  ]
}
