/** What package-lock.json says of packages for other platforms. Pure. */

interface Row {
  version?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  resolved?: string
  optionalDependencies?: Record<string, string>
}

export interface Lockfile {
  packages: Record<string, Row>
}

const SYSTEMS = new Set(['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'])
const PROCESSORS = new Set(['arm64', 'x64', 'arm', 'ppc64', 'riscv64', 's390x', 'ia32'])

/** Optional packages that a package in the lockfile names and that have no row of their own. */
export const missingOptional = ({ packages }: Lockfile): { name: string; version: string; dev: boolean }[] =>
  Object.entries(packages).flatMap(([path, { optionalDependencies = {}, dev = false }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages))
      .map(([name, version]) => ({ name, version, dev })),
  )

/** The platform that a package's name tells (`binding-linux-x64-musl`); undefined where it tells none. */
const platformOf = (name: string): Pick<Row, 'os' | 'cpu' | 'libc'> | undefined => {
  const words = name.split('/').at(-1)?.split('-') ?? []
  const os = words.find((word) => SYSTEMS.has(word))
  const cpu = words.find((word) => PROCESSORS.has(word))
  if (os === undefined || cpu === undefined) return undefined
  const libc = words.find((word) => /^(musl|gnu)/.test(word))
  return { cpu: [cpu], ...(libc !== undefined && { libc: [libc.startsWith('musl') ? 'musl' : 'glibc'] }), os: [os] }
}

/** The lockfile with a row for each of them, as a registry that holds them would have given, but for their checksums. */
export const withPlatforms = (lockfile: Lockfile): { lockfile: Lockfile; added: string[] } => {
  const rows = missingOptional(lockfile).flatMap(({ name, version, dev }): [string, Row][] => {
    const platform = platformOf(name)
    if (platform === undefined) return []
    const { cpu, libc, os } = platform
    const row = {
      version,
      ...(cpu && { cpu }),
      ...(dev && { dev }),
      ...(libc && { libc }),
      optional: true,
      ...(os && { os }),
    }
    return [[`node_modules/${name}`, row]]
  })
  const packages = Object.fromEntries(
    [...Object.entries(lockfile.packages), ...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
  return { lockfile: { ...lockfile, packages }, added: rows.map(([path]) => path.replace('node_modules/', '')) }
}
