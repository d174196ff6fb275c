/** Who imports whom in our sources, as esbuild resolves it: what is left when types are erased, which is what Node.js runs. */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

export const root = join(import.meta.dirname, '..', '..')

export interface Import {
  /** a file of ours, relative to the repository, or a package as it was named */
  to: string
  external: boolean
  dynamic: boolean
}

/** Imports of values by file. `import {} from` what had only types in it counts: it is run. */
export const sourceGraph = async (): Promise<Map<string, Import[]>> => {
  const files = globSync(['bin/**/*.ts', 'commands/**/*.ts', 'src/**/*.ts'], { cwd: root })
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: files,
    bundle: true,
    write: false,
    outdir: 'unused',
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    metafile: true,
    logLevel: 'silent',
  })
  return new Map(
    Object.entries(metafile.inputs).map(([file, { imports }]) => [
      file,
      imports.map(({ path, external, kind }) => ({
        to: path,
        external: external ?? false,
        dynamic: kind === 'dynamic-import',
      })),
    ]),
  )
}

/** All that loading these files loads: their static imports, and those of what they import. */
export const loadedBy = (graph: ReadonlyMap<string, Import[]>, files: readonly string[]): Set<string> => {
  const loaded = new Set<string>()
  const visit = (file: string): void => {
    if (loaded.has(file)) return
    loaded.add(file)
    for (const { to, dynamic } of graph.get(file) ?? []) if (!dynamic) visit(to)
  }
  for (const file of files) visit(file)
  return loaded
}
