/** Parts of an image reference, as container runtimes read it. Pure. */

export interface ImageReference {
  /** host and port; `docker.io` where the reference names none */
  registry: string
  /** path without registry, tag and digest */
  repository: string
  tag?: string
  /** `sha256:...` */
  digest?: string
}

/**
 * Splits `[REGISTRY[:PORT]/]PATH[:TAG][@DIGEST]`; undefined where it is no image reference. The first segment is a registry
 * only where it has a dot or a port or is `localhost` (the rule of the reference implementation of container references).
 */
export function parseImage(image: string): ImageReference | undefined {
  const match = /^(?<name>[^\s@]+?)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@(?<digest>[a-z0-9]+:[0-9a-f]{32,}))?$/.exec(image)
  const name = match?.groups?.['name']
  if (name === undefined) return undefined
  const [first = '', ...rest] = name.split('/')
  const hasRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  const path = hasRegistry ? rest : [first, ...rest]
  if (!path.every((segment) => /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/.test(segment))) return undefined
  const { tag, digest } = match?.groups ?? {}
  return {
    registry: hasRegistry ? first : 'docker.io',
    repository: path.join('/'),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  }
}

/** The reference as text, the opposite of `parseImage`. */
export function formatImage(image: ImageReference): string {
  const tag = image.tag === undefined ? '' : `:${image.tag}`
  const digest = image.digest === undefined ? '' : `@${image.digest}`
  return `${image.registry}/${image.repository}${tag}${digest}`
}

/** Does the repository end with these path segments? `kubeairunway/controller` does not end with `airunway/controller`. */
export function hasSuffix(repository: string, suffix: string): boolean {
  return `/${repository}`.endsWith(`/${suffix}`)
}
