/** The lines of a stream of bytes: a watch is one JSON document per line. */

/**
 * Yields each line without its end. Copes with lines and characters that are cut at chunk borders. What follows the
 * last line end is left out: there the stream broke off within a document.
 */
export async function* lines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  // Large objects come in many chunks: pieces are joined once per line, not once per chunk.
  let pieces: string[] = []
  for await (const chunk of stream) {
    const text = decoder.decode(chunk, { stream: true })
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      pieces.push(text.slice(start, end))
      const line = pieces.join('')
      pieces = []
      start = end + 1
      if (line.trim() !== '') yield line
    }
    if (start < text.length) pieces.push(text.slice(start))
  }
}
