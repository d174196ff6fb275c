/** Kubernetes objects out of YAML or JSON text. Pure. */
import type { AnyObject } from '../kubernetes/objects.ts'
import { ReleaseError } from './errors.ts'
import { readYamlDocuments, UnusableYaml } from './yaml-documents.ts'

/**
 * Reads a stream of YAML documents (or JSON, which is YAML) into objects, lists opened, in file order.
 * Throws ReleaseError `not-a-release` for a page of HTML, broken YAML, an alias bomb, or what is no Kubernetes object, naming
 * the file and the document.
 */
export function parseManifests(text: string, file: string): AnyObject[] {
  if (/^\s*(<!doctype|<html)/i.test(text)) {
    throw notARelease(
      file,
      'it is a page of HTML; an address of raw files is needed, and no sign-in page in front of it',
    )
  }
  const objects: AnyObject[] = []
  for (const [index, content] of readDocuments(text, file).entries()) {
    if (content === null || content === undefined) continue
    objects.push(...readObjects(content, file, `document ${index + 1}`))
  }
  if (objects.length === 0) throw notARelease(file, 'it holds no objects')
  return objects
}

function readDocuments(text: string, file: string): unknown[] {
  try {
    return readYamlDocuments(text)
  } catch (error) {
    if (!(error instanceof UnusableYaml)) throw error
    throw notARelease(file, error.message, error)
  }
}

function readObjects(content: unknown, file: string, at: string): AnyObject[] {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw notARelease(file, `${at} is no Kubernetes object`)
  }
  if ('kind' in content && content.kind === 'List' && 'items' in content && Array.isArray(content.items)) {
    return content.items.flatMap((item: unknown, index) => readObjects(item, file, `item ${index + 1} of ${at}`))
  }
  if (!isObject(content)) throw notARelease(file, `${at} is no Kubernetes object: it lacks apiVersion, kind or a name`)
  return [content]
}

function isObject(content: object): content is AnyObject {
  if (!('apiVersion' in content && typeof content.apiVersion === 'string')) return false
  if (!('kind' in content && typeof content.kind === 'string')) return false
  const metadata = 'metadata' in content ? content.metadata : undefined
  return typeof metadata === 'object' && metadata !== null && 'name' in metadata && typeof metadata.name === 'string'
}

function notARelease(file: string, why: string, cause?: unknown): ReleaseError {
  return new ReleaseError('not-a-release', `${file} is not the manifest of a release`, {
    why,
    next: 'name the folder, file or address of a release with --source',
    cause,
  })
}
