/** The licences of what the bundle contains: their texts must travel with it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'

/** Packages that files of the bundle come from, sorted. */
export const bundledPackages = (metafile: Metafile): string[] => {
  const folders = Object.keys(metafile.inputs).flatMap((input) => {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)
    return match?.[1] === undefined ? [] : [match[1]]
  })
  return [...new Set(folders)].toSorted()
}

/** One text with each package's name, version and licence. Throws where a package does not even name its licence. */
export const licenseTexts = (root: string, packages: readonly string[]): string =>
  packages
    .map((folder) => {
      const read = (name: string): string => readFileSync(join(root, folder, name), 'utf8')
      const pjson = JSON.parse(read('package.json')) as { name: string; version: string; license?: string }
      const file = readdirSync(join(root, folder)).find((name) => /^(licen[cs]e|copying)/i.test(name))
      if (pjson.license === undefined && file === undefined) throw new Error(`${folder} names no licence`)
      const text = file !== undefined && existsSync(join(root, folder, file)) ? read(file) : `${pjson.license}\n`
      return `${pjson.name} ${pjson.version} (${pjson.license ?? 'see below'})\n\n${text.trim()}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
