/**
 * Writes a tar archive that is the same byte for byte wherever and whenever it is made: sorted names, no owner, a fixed time.
 * Only folders and regular files, because krew refuses links.
 */
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const blockSize = 512

/** A time for all entries: archives may not tell when they were made. */
const fixedSeconds = Date.UTC(2000, 0, 1) / 1000

interface Entry {
  name: string
  folder: boolean
  executable: boolean
  content: Buffer
}

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`

/** POSIX ustar: names up to 100 bytes, or up to 255 when they can be split at a slash. Throws RangeError beyond. */
const splitName = (name: string): { prefix: string; rest: string } => {
  if (Buffer.byteLength(name) <= 100) return { prefix: '', rest: name }
  for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) {
    const [prefix, rest] = [name.slice(0, at), name.slice(at + 1)]
    if (Buffer.byteLength(rest) <= 100 && rest !== '' && Buffer.byteLength(prefix) <= 155) return { prefix, rest }
  }
  throw new RangeError(`too long for a tar archive: ${name}`)
}

const header = (entry: Entry): Buffer => {
  const block = Buffer.alloc(blockSize)
  const { prefix, rest } = splitName(entry.name)
  block.write(rest, 0)
  block.write(octal(entry.folder || entry.executable ? 0o755 : 0o644, 8), 100)
  block.write(octal(0, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(entry.content.length, 12), 124)
  block.write(octal(fixedSeconds, 12), 136)
  block.write(' '.repeat(8), 148)
  block.write(entry.folder ? '5' : '0', 156)
  block.write('ustar\u000000', 257)
  block.write(prefix, 345)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

const entriesOf = (root: string, name: string): Entry[] => {
  const path = join(root, name)
  const stat = lstatSync(path)
  if (stat.isDirectory()) {
    const inside = readdirSync(path).toSorted()
    const folder: Entry = { name: `${name}/`, folder: true, executable: false, content: Buffer.alloc(0) }
    return [folder, ...inside.flatMap((child) => entriesOf(root, `${name}/${child}`))]
  }
  if (!stat.isFile()) throw new TypeError(`only folders and regular files can be packed: ${name}`)
  return [{ name, folder: false, executable: (stat.mode & 0o100) !== 0, content: readFileSync(path) }]
}

/** The archive of these files and folders below `root`. */
export const ustar = (root: string, names: readonly string[]): Buffer => {
  const blocks = [...names].toSorted().flatMap((name) =>
    entriesOf(root, name).flatMap((entry) => {
      const padding = Buffer.alloc((blockSize - (entry.content.length % blockSize)) % blockSize)
      return [header(entry), entry.content, padding]
    }),
  )
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockSize)])
}
