/** What a stand-in is told by the pod it stands in for: environment variables and container arguments. */

export interface StandinEnvironment {
  /** the container's image: it decides which program of which product in which version this is */
  image: string
  podName: string
  /** the namespace the pod runs in */
  namespace: string
  /** container port -> port on 127.0.0.1 that stands for it */
  ports: ReadonlyMap<number, number>
  /** mount path -> directory */
  volumes: ReadonlyMap<string, string>
  flags: ReadonlyMap<string, string>
  variables: Readonly<Record<string, string | undefined>>
}

/** `--name=value` and bare `--name` (value `true`), as Go's flag package reads them. */
export function parseFlags(args: readonly string[]): Map<string, string> {
  const flags = new Map<string, string>()
  for (const arg of args) {
    const match = /^--?([^=]+)(?:=(.*))?$/s.exec(arg)
    if (match?.[1]) flags.set(match[1], match[2] ?? 'true')
  }
  return flags
}

/** Reads the environment a stand-in is started with. Throws an Error that names a missing or malformed variable. */
export function readEnvironment(env: NodeJS.ProcessEnv, args: readonly string[]): StandinEnvironment {
  const required = (name: string): string => {
    const value = env[name]
    if (!value) throw new Error(`environment variable ${name} is not set`)
    return value
  }
  return {
    image: required('AIRUNWAY_IMAGE'),
    podName: required('POD_NAME'),
    namespace: required('POD_NAMESPACE_ACTUAL'),
    ports: new Map([...parseMap('AIRUNWAY_PORTS', env)].map(([port, local]) => [Number(port), Number(local)])),
    volumes: new Map([...parseMap('AIRUNWAY_VOLUMES', env)].map(([path, folder]) => [path, String(folder)])),
    flags: parseFlags(args),
    variables: env,
  }
}

function parseMap(name: string, env: NodeJS.ProcessEnv): Map<string, unknown> {
  const parsed: unknown = JSON.parse(env[name] ?? '{}')
  if (typeof parsed !== 'object' || parsed === null)
    throw new Error(`environment variable ${name} is not a JSON object`)
  return new Map(Object.entries(parsed))
}

/** A Go duration or boolean flag is true unless it says otherwise. */
export const isOn = (value: string | undefined, fallback: boolean): boolean =>
  value === undefined ? fallback : value !== 'false' && value !== '0'
