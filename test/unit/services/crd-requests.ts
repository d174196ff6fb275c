/** Definitions in files of a folder of their own, and requests that compare them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { silentProgress } from '../../../src/report/progress.ts'
import { type CrdCheckRequest, crdCheck } from '../../../src/services/crd-check.ts'

export type Fields = Record<string, object>
export const text: Fields = { a: { type: 'string' } }

interface Options {
  group?: string
  plural?: string
  version?: string
  served?: boolean
}

export const crd = (
  fields: Fields,
  { group = 'example.io', plural = 'models', version = 'v1', served = true }: Options = {},
) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind: 'Model', plural },
    versions: [
      {
        name: version,
        served,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: fields } } } },
      },
    ],
  },
})

export interface Files {
  folder: string
  /** Writes documents to a file below the folder, and gives its path. */
  file(name: string, ...documents: unknown[]): string
  remove(): void
}

/** A new folder, to be removed at the end. */
export const newFiles = (): Files => {
  const folder = mkdtempSync(join(tmpdir(), 'crd-'))
  return { folder, file: (...file) => write(folder, ...file), remove: () => rmSync(folder, { recursive: true }) }
}

const write = (folder: string, name: string, ...documents: unknown[]): string => {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, documents.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n---\n'))
  return path
}

export async function* bytes(value: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(value)
}

export const request = (before: string, after: string, others: Partial<CrdCheckRequest> = {}): CrdCheckRequest => ({
  before,
  after,
  connection: {},
  recursive: false,
  stdin: bytes(''),
  note: () => {},
  live: false,
  today: new Date('2026-11-22'),
  progress: silentProgress,
  ...others,
})

/** `name id` of every finding of the way forwards. */
export const found = async (before: string, after: string, others?: Partial<CrdCheckRequest>): Promise<string[]> => {
  const { definitions } = await crdCheck(request(before, after, others))
  return definitions.flatMap(({ name, upgrade = [] }) => upgrade.map(({ id, level }) => `${name} ${id} ${level}`))
}
