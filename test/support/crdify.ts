/**
 * crdify itself, as the judge of our profiles `strict` and `olm`. It is built from its published sources once, into the cache of
 * the playground's servers, together with its own cases.
 */
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { withFileLock } from '../../src/playground/file-lock.ts'
import { goPlatform, serversCache } from '../../src/playground/servers.ts'

const moduleFolder = fileURLToPath(new URL('../oracles/crdify/', import.meta.url))
const module = 'sigs.k8s.io/crdify'

export interface Crdify {
  binary: string
  /** crdify's own: a folder for each case, with a.yaml, b.yaml and expected.json */
  cases: string
  examples: string
}

export interface CrdifyVerdict {
  /** that of its exit code */
  failed: boolean
  /** `v1 ^.spec.mode enum`, sorted; the definition has no version and no path */
  errors: string[]
  warnings: string[]
}

interface Result {
  name: string
  errors?: string[]
  warnings?: string[]
}
type Weight = 'errors' | 'warnings'

/** What crdify prints as JSON. */
export interface CrdifyReport {
  crdValidation?: Result[]
  sameVersionValidation?: Record<string, Record<string, Result[]>>
  servedVersionValidation?: Record<string, Record<string, Result[]>>
}

/** The version that the module names. */
export function crdifyVersion(): string {
  const version = /sigs\.k8s\.io\/crdify (v\S+)/.exec(readFileSync(join(moduleFolder, 'go.mod'), 'utf8'))?.[1]
  if (version === undefined) throw new Error('the module of the oracle names no version of crdify')
  return version
}

const cached = (): string => join(serversCache(process.env), 'crdify', crdifyVersion(), goPlatform())
const crdifyIn = (folder: string): Crdify => ({
  binary: join(folder, 'crdify'),
  cases: join(folder, 'test'),
  examples: join(folder, 'examples'),
})
const isThere = (folder: string): boolean => existsSync(crdifyIn(folder).binary)

/** Whether crdify is in the cache or can be built; in CI it has to be. */
export function crdifyPossible(): { possible: boolean; reason?: string } {
  if (isThere(cached())) return { possible: true }
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' })
    return { possible: true }
  } catch {
    const reason = 'crdify is not in the cache, and there is no Go to build it'
    if (process.env['CI'] === 'true') throw new Error(reason)
    return { possible: false, reason }
  }
}

/** Builds crdify where it is not in the cache yet, which takes a minute. */
export async function ensureCrdify(): Promise<Crdify> {
  const folder = cached()
  if (isThere(folder)) return crdifyIn(folder)
  const parent = join(folder, '..')
  mkdirSync(parent, { recursive: true })
  return withFileLock(`${folder}.lock`, { waiting: () => undefined }, async () => {
    if (isThere(folder)) return crdifyIn(folder)
    const aside = mkdtempSync(join(parent, '.aside-'))
    try {
      await build(aside)
      rmSync(folder, { recursive: true, force: true })
      renameSync(aside, folder)
    } finally {
      rmSync(aside, { recursive: true, force: true })
    }
    return crdifyIn(folder)
  })
}

async function build(folder: string): Promise<void> {
  process.stderr.write(`compiling crdify ${crdifyVersion()}, once\n`)
  // readonly keeps go.mod and go.sum as they were checked in.
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' }
  const go = (...args: string[]) => promisify(execFile)('go', args, { cwd: moduleFolder, env })
  await go('build', '-trimpath', '-ldflags', '-s -w', '-o', crdifyIn(folder).binary, module)
  const { stdout } = await go('list', '-m', '-f', '{{.Dir}}', module)
  for (const name of ['test', 'examples']) copyWritable(join(stdout.trim(), name), join(folder, name))
}

/** Go keeps its sources without the right to write, which would outlast a copy and keep it from being removed. */
function copyWritable(from: string, to: string): void {
  mkdirSync(to)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) copyWritable(source, target)
    else if (/\.(ya?ml|json)$/.test(entry.name)) cpSync(source, target)
  }
}

/** Compares two files. `config` is a file as well. */
export async function runCrdify(
  { binary }: Crdify,
  [before, after]: readonly [before: string, after: string],
  config?: string,
): Promise<CrdifyVerdict> {
  const args = [`file://${before}`, `file://${after}`, '--output=json', ...(config ? [`--config=${config}`] : [])]
  const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(binary, args, { maxBuffer: 2 ** 28 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : error.code, stdout: out, stderr: err }),
    )
  })
  if ((code !== 0 && code !== 1) || stdout === '') throw new Error(`crdify ended with ${String(code)}: ${stderr}`)
  return { failed: code === 1, ...verdictOf(JSON.parse(stdout) as CrdifyReport) }
}

/** What a report of crdify says, without its texts. */
export function verdictOf(report: CrdifyReport): Omit<CrdifyVerdict, 'failed'> {
  const read = (weight: Weight) => [
    ...(report.crdValidation ?? []).flatMap((result) => ofDefinition(result, weight)),
    ...[report.sameVersionValidation, report.servedVersionValidation].flatMap((versions) =>
      Object.entries(versions ?? {}).flatMap(([version, fields]) =>
        Object.entries(fields).flatMap(([path, results]) =>
          results.flatMap(({ name, ...texts }) => (texts[weight] ?? []).map(() => `${version} ${path} ${name}`)),
        ),
      ),
    ),
  ]
  return { errors: read('errors').toSorted(), warnings: read('warnings').toSorted() }
}

/** A field that is gone is named in the text alone: `removed field : v1.^.spec.mode`. */
function ofDefinition({ name, ...texts }: Result, weight: Weight): string[] {
  return (texts[weight] ?? []).map((text) => {
    const [, version = '', path = ''] = /removed field : (.*?)\.(\^.*)$/s.exec(text) ?? []
    return [version, path, name].filter((part) => part !== '').join(' ')
  })
}

/** Does `work` for each entry, as many at a time as there are cores, and gives the answers in the order of the entries. */
export async function inParallel<T, R>(entries: readonly T[], work: (entry: T, index: number) => Promise<R>) {
  const answers: R[] = []
  const queue = entries.entries()
  const worker = async () => {
    for (const [index, entry] of queue) answers[index] = await work(entry, index)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return answers
}
