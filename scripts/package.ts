/** Packs dist/ for krew: one archive per platform that can be built here, and the manifest that names it. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { renderKrewManifest } from './krew-manifest.ts'
import { ustar } from './ustar.ts'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const platform = 'linux-amd64'
if (process.platform !== 'linux' || process.arch !== 'x64') {
  throw new Error(`the archive holds the Node.js that builds it: build ${platform} on that platform`)
}

const archive = `kubectl-airunway-${platform}.tar.gz`
// zlib of the pinned Node.js, and a gzip header without name and time: the same sources give the same bytes.
const bytes = gzipSync(ustar(dist, ['LICENSE', 'kubectl-airunway', 'lib', 'node']), { level: 6 })
const sha256 = createHash('sha256').update(bytes).digest('hex')
writeFileSync(join(dist, archive), bytes)
writeFileSync(join(dist, `${archive}.sha256`), `${sha256}  ${archive}\n`)

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const template = readFileSync(join(root, 'krew-manifest.yaml'), 'utf8')
// The template's own comment speaks of the template.
const manifest = renderKrewManifest(template.replace(/^(#.*\n)+/, ''), version, { [platform]: sha256 })
writeFileSync(join(dist, 'airunway.yaml'), manifest)
console.log(`packed dist/${archive} (${(bytes.length / 1e6).toFixed(1)} MB, sha256 ${sha256})`)
