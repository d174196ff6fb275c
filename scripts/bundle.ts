/** The bundle: ESM chunks, so that a start reads only what its command needs. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'
import { commands } from '../commands/index.ts'
import { type CommandManifest, describeCommands } from '../src/cli/command-table.ts'

/** Entry points by the name they get in `lib/`; the playground starts the last two as processes of their own. */
const entryPoints = {
  boot: 'bin/kubectl-airunway.ts',
  standin: 'src/playground/standins/main.ts',
  supervisor: 'src/playground/supervisor-main.ts',
}

/** The manifest of the commands is made now and carried, instead of loading every command at each start. */
const embeddedManifest: Plugin = {
  name: 'embedded-manifest',
  setup: (setup) => {
    setup.onLoad({ filter: /[\\/]src[\\/]cli[\\/]command-manifest\.ts$/ }, async () => {
      const { flags, manifest } = withSharedFlags(await describeCommands(commands))
      return {
        loader: 'js',
        contents: `const f = ${flags}\nconst manifest = ${manifest}\nexport const commandManifest = async () => manifest`,
      }
    })
  },
}

/** As JavaScript: flags that many commands have (those of the connection) are written once, as entries of `f`. */
function withSharedFlags(manifest: CommandManifest): { flags: string; manifest: string } {
  const flags: string[] = []
  const placeOf = (flag: unknown): string => {
    const text = JSON.stringify(flag)
    if (!flags.includes(text)) flags.push(text)
    return `f[${flags.indexOf(text)}]`
  }
  const commandText = ([id, { flags: own, ...rest }]: [string, CommandManifest[string]]): string => {
    const named = Object.entries(own).map(([name, flag]) => `${JSON.stringify(name)}: ${placeOf(flag)}`)
    return `${JSON.stringify(id)}: { ...${JSON.stringify(rest)}, flags: { ${named.join(', ')} } }`
  }
  const all = Object.entries(manifest).map(commandText)
  return { flags: `[${flags.join(', ')}]`, manifest: `{ ${all.join(', ')} }` }
}

/** Start-up reads three fields of package.json; the rest of it is no business of the user's. */
const slimPackage: Plugin = {
  name: 'slim-package',
  setup: (setup) => {
    setup.onLoad({ filter: /^[^?]*[\\/]package\.json$/ }, async ({ path }) => {
      if (path.includes('node_modules')) return undefined
      const { default: pjson } = (await import(path, { with: { type: 'json' } })) as {
        default: Record<string, unknown>
      }
      const { name, version, oclif, description } = pjson
      return { loader: 'json', contents: JSON.stringify({ name, version, description, oclif }) }
    })
  },
}

/**
 * CommonJS packages (oclif) in an ES module: they ask for `require` and their own place. Chunks lie side by side in one
 * folder, so the place of any chunk is as good as another.
 */
const banner = [
  "import{createRequire as __createRequire}from'node:module'",
  "import{dirname as __directoryOf}from'node:path'",
  'const require=__createRequire(import.meta.url)',
  'const __filename=import.meta.filename,__dirname=__directoryOf(__filename)',
].join(';')

/** Bundles into `outdir`; names stay readable for the stack traces of AIRUNWAY_DEBUG. Rejects on any build error. */
export const bundle = async (root: string, outdir: string): Promise<Metafile> => {
  const present = Object.entries(entryPoints).filter(([, file]) => existsSync(join(root, file)))
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(present),
    outdir,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node26',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    banner: { js: `${banner};` },
    metafile: true,
    logLevel: 'warning',
    plugins: [embeddedManifest, slimPackage],
  })
  return metafile
}
