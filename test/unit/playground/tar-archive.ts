/** Writes a ustar archive of regular files, for tests. */
const block = (size: number): number => Math.ceil(size / 512) * 512

function header(name: string, size: number): Buffer {
  const result = Buffer.alloc(512)
  result.write(name, 0)
  result.write('0000644\0', 100)
  result.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  result.write('0', 156)
  result.write('ustar\0', 257)
  return result
}

export function tarOf(files: [name: string, content: string][]): Buffer {
  const parts = files.flatMap(([name, content]) => {
    const data = Buffer.alloc(block(Buffer.byteLength(content)))
    data.write(content)
    return [header(name, Buffer.byteLength(content)), data]
  })
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}
