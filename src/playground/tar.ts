/** Reads one file out of a tar archive: enough for the archive of etcd, whose names fit the classic header. */

const block = 512
const decoder = new TextDecoder()

function field(header: Uint8Array, offset: number, length: number): string {
  const text = decoder.decode(header.subarray(offset, offset + length))
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

/**
 * The content of a regular file in an unpacked (not gzipped) ustar archive; undefined where there is no such file.
 * Header layout as in POSIX.1-1988: name 0-99, size 124-135 (octal), type 156, prefix 345-499. Pure.
 */
export function fileInTar(archive: Uint8Array, name: string): Uint8Array | undefined {
  for (let at = 0; at + block <= archive.length; ) {
    const header = archive.subarray(at, at + block)
    const size = Number.parseInt(field(header, 124, 12).trim() || '0', 8)
    const prefix = field(header, 345, 155)
    const path = (prefix === '' ? '' : `${prefix}/`) + field(header, 0, 100)
    const type = field(header, 156, 1)
    const start = at + block
    if (Number.isNaN(size) || start + size > archive.length) return undefined
    if (path === name && (type === '0' || type === '')) return archive.subarray(start, start + size)
    at = start + Math.ceil(size / block) * block
  }
  return undefined
}
