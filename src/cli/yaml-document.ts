/** YAML, imported only where it is asked for: through a module of ours, because a split bundle loses the names of a CommonJS package. */
import { stringify } from 'yaml'

/** The document as YAML, ending with a newline. */
export const yamlDocument = (document: unknown): string => stringify(document)
