/** Where the playground's other programs and the shipped folders are: beside the sources, or beside the bundle's chunks. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Files that the playground starts or reads; every path is absolute. */
export interface Entries {
  /** what a pod with a known image runs */
  standin: string
  /** what owns the servers of one playground */
  supervisor: string
  data: string
  examples: string
  /** one Go module per Kubernetes minor */
  servers: string
}

/**
 * Tells where everything lies, seen from the folder of this module.
 * The bundle has `standin.mjs` beside its chunks, the sources do not: that decides which layout it is.
 * @param here the folder to look from; only tests give another
 */
export function entries(here: string = dirname(fileURLToPath(import.meta.url))): Entries {
  if (existsSync(join(here, 'standin.mjs'))) {
    return {
      standin: join(here, 'standin.mjs'),
      supervisor: join(here, 'supervisor.mjs'),
      data: join(here, 'data'),
      examples: join(here, 'examples'),
      servers: join(here, 'servers'),
    }
  }
  const root = dirname(dirname(here))
  return {
    standin: join(here, 'standins', 'main.ts'),
    supervisor: join(here, 'supervisor-main.ts'),
    data: join(root, 'data'),
    examples: join(root, 'examples'),
    servers: join(here, 'servers'),
  }
}
