/** YAML and JSON text into plain values, within limits. What comes from elsewhere may be made to exhaust a parser. Pure. */
import { CORE_SCHEMA, defineScalarTag, intCoreTag, loadAll, YAMLException } from 'js-yaml'

/**
 * Manifests are below 2 MB, nest some forty levels deep, and have no aliases or a few. `values` are counted as often as aliases
 * repeat them: a text of a few lines can stand for billions.
 */
export const yamlLimits = { bytes: 20 * 1024 * 1024, depth: 200, aliases: 100, values: 500_000 }

/** What keeps a text from being read; the message is one line, to stand behind the name of the file. */
export class UnusableYaml extends Error {
  override readonly name = 'UnusableYaml'
}

/** kubectl reads YAML 1.1, where `defaultMode: 0644` is octal; the YAML 1.2 core schema would make it 644. */
const schema = CORE_SCHEMA.withTags(
  defineScalarTag(intCoreTag.tagName, {
    ...intCoreTag,
    resolve: (source, isExplicit, tagName) =>
      /^0[0-7]+$/.test(source) ? Number.parseInt(source, 8) : intCoreTag.resolve(source, isExplicit, tagName),
  }),
)

/**
 * The values of a stream of YAML documents, or of JSON, in file order; an empty document is null.
 * Throws UnusableYaml: too long, nested too deep, too many aliases or one of itself, a key twice, or no YAML at all.
 */
export function readYamlDocuments(text: string, limits = yamlLimits): unknown[] {
  if (text.length > limits.bytes) throw new UnusableYaml(`it is longer than ${limits.bytes / 1024 / 1024} MB`)
  if (partsOf(text) > limits.values) throw tooMany(limits.values)
  const documents = parse(text, limits)
  count(documents, { left: limits.values, within: new Set() }, limits)
  return documents
}

function parse(text: string, { depth, aliases }: typeof yamlLimits): unknown[] {
  try {
    return loadAll(text, { schema, maxDepth: depth + 1, maxAliases: aliases })
  } catch (error) {
    // The parser's message goes on with an excerpt of the file; its reason and place are one line.
    if (!(error instanceof YAMLException)) throw error
    throw error.reason.includes('maxDepth')
      ? tooDeep(depth)
      : new UnusableYaml(`it is not usable YAML: ${placed(error)}`)
  }
}

function placed({ reason, mark }: YAMLException): string {
  return mark === undefined ? reason : `${reason} at line ${mark.line + 1}, column ${mark.column + 1}`
}

/** Lines, and values in brackets: the parser's memory grows with them rather than with the length, by some 300 bytes each. */
function partsOf(text: string): number {
  let parts = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === LINE_FEED || code === COMMA) parts += 1
  }
  return parts
}

const [LINE_FEED, COMMA] = [10, 44]

const tooMany = (values: number): UnusableYaml => new UnusableYaml(`it has more than ${values} lines and values`)

const tooDeep = (depth: number): UnusableYaml => new UnusableYaml(`it nests more than ${depth} levels deep`)

interface Counting {
  left: number
  /** what the present value is in */
  within: Set<unknown>
}

function count(value: unknown, counting: Counting, limits: typeof yamlLimits): void {
  counting.left -= 1
  if (counting.left < 0) throw tooMany(limits.values)
  if (typeof value !== 'object' || value === null) return
  if (counting.within.has(value)) throw new UnusableYaml('an alias in it holds itself')
  if (counting.within.size > limits.depth + 1) throw tooDeep(limits.depth)
  counting.within.add(value)
  for (const entry of Object.values(value)) count(entry, counting, limits)
  counting.within.delete(value)
}
