/** What a container's process finds in its environment and arguments. Pure. */
import type { Container, EnvVar, Pod } from '../kubernetes/objects.ts'

/** The downward API's fields that make sense for a process; others give an empty string. */
export function fieldValue(pod: Pod, path: string, podIP: string): string {
  const label = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path)
  if (label?.[2]) return pod.metadata[label[1] as 'labels' | 'annotations']?.[label[2]] ?? ''
  const values: Record<string, string | undefined> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'metadata.uid': pod.metadata.uid,
    'spec.nodeName': pod.spec.nodeName,
    'spec.serviceAccountName': pod.spec.serviceAccountName,
    'status.podIP': podIP,
    'status.hostIP': '127.0.0.1',
  }
  return values[path] ?? ''
}

/** Replaces `$(NAME)` by known variables and `$$(NAME)` by `$(NAME)`; unknown ones stay, as Kubernetes documents it. */
export function expand(text: string, variables: Record<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([A-Za-z_][\w.-]*)\)/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$'
    return variables[name] ?? whole
  })
}

function valueOf(variable: EnvVar, pod: Pod, podIP: string, before: Record<string, string>): string {
  const field = variable.valueFrom?.['fieldRef'] as { fieldPath?: string } | undefined
  if (field?.fieldPath) return fieldValue(pod, field.fieldPath, podIP)
  return expand(variable.value ?? '', before)
}

/** The variables that a container names itself, in order: later ones may use earlier ones. */
export function containerEnvironment(container: Container, pod: Pod, podIP: string): Record<string, string> {
  const result: Record<string, string> = {}
  for (const variable of container.env ?? []) result[variable.name] = valueOf(variable, pod, podIP, result)
  return result
}

export interface PodPlace {
  podIP: string
  /** container port -> port on 127.0.0.1 */
  ports: Record<string, number>
  serviceAccountDirectory: string
  /** mount path -> directory */
  volumes: Record<string, string>
  /** https://127.0.0.1:PORT */
  server: string
}

/** Everything that the process of a container gets: its own variables, then the ones that tell it where it lives. */
export function processEnvironment(container: Container, pod: Pod, place: PodPlace): Record<string, string> {
  return {
    ...containerEnvironment(container, pod, place.podIP),
    HOSTNAME: pod.metadata.name,
    POD_NAME: pod.metadata.name,
    POD_NAMESPACE_ACTUAL: pod.metadata.namespace ?? '',
    POD_IP: place.podIP,
    AIRUNWAY_IMAGE: container.image ?? '',
    AIRUNWAY_PORTS: JSON.stringify(place.ports),
    AIRUNWAY_SERVICEACCOUNT_DIR: place.serviceAccountDirectory,
    AIRUNWAY_VOLUMES: JSON.stringify(place.volumes),
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: new URL(place.server).port,
  }
}
