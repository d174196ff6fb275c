/** Leaves a plugin that runs in dist/: launcher, Node.js, bundle and the files that the bundle reads. */
import { chmodSync, constants, copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { bundle } from './bundle.ts'
import { bundledPackages, licenseTexts } from './licenses.ts'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const lib = join(dist, 'lib')

/** Folders that the program reads at run time, and where they lie beside the chunks. */
const folders = [
  ['data', 'data'],
  ['examples/operators', 'examples/operators'],
  ['examples/releases', 'examples/releases'],
  ['examples/workloads', 'examples/workloads'],
  ['docs/checks', 'docs/checks'],
  ['docs/schemas', 'docs/schemas'],
  ['src/playground/servers', 'servers'],
] as const

rmSync(dist, { recursive: true, force: true })
mkdirSync(lib, { recursive: true })
const metafile = await bundle(root, lib)
for (const [from, to] of folders) {
  if (existsSync(join(root, from))) cpSync(join(root, from), join(lib, to), { recursive: true })
}
// The runtime of this very build: npm runs scripts with the pinned Node.js first on PATH.
const node = relative(root, join(process.execPath, '..', '..'))
writeFileSync(join(lib, 'THIRD-PARTY-LICENSES.txt'), licenseTexts(root, [...bundledPackages(metafile), node]))
writeFileSync(join(dist, 'metafile.json'), JSON.stringify(metafile))
copyFileSync(join(root, 'LICENSE'), join(dist, 'LICENSE'))
copyFileSync(process.execPath, join(dist, 'node'), constants.COPYFILE_FICLONE)
chmodSync(join(dist, 'node'), 0o755)
copyFileSync(join(root, 'scripts', 'launcher.sh'), join(dist, 'kubectl-airunway'))
chmodSync(join(dist, 'kubectl-airunway'), 0o755)
console.log(`built dist/kubectl-airunway (${Object.keys(metafile.outputs).length} chunks)`)
