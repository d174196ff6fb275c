/** What keeps a definition's objects from being migrated, in words. Pure. */
import type { CustomResourceDefinition } from '../kubernetes/objects.ts'
import type { Blocker } from './survey.types.ts'

/** There is no such definition. */
export const notFound = (definition: string): Blocker => ({
  kind: 'not-found',
  definition,
  message: `there is no CustomResourceDefinition ${definition}`,
  why: 'definitions are named <plural>.<group>',
  next: 'kubectl get crd shows the names',
})

/** The user may not read the definition or its objects; `refusal` as the API server says it. */
export const unreadAsForbidden = (definition: string, refusal: string): Blocker => ({
  kind: 'forbidden',
  definition,
  message: `${definition} may not be read`,
  why: refusal,
  next: 'ask for the right, or use another user with --context or --as',
})

/** The objects cannot be listed for a reason that may pass; `answer` as the API server says it. */
export const unavailable = (definition: string, answer: string): Blocker => ({
  kind: 'unavailable',
  definition,
  message: `the objects of ${definition} cannot be listed`,
  why: answer,
  next: 'look at the API server, and at the conversion webhook where there is one; then try again',
})

/** A definition on its way out serves neither patch nor update nor create. */
export const terminating = (definition: string): Blocker => ({
  kind: 'terminating',
  definition,
  message: `${definition} is being deleted`,
  why: 'the API server lets nobody write its objects any more, and deletes them with it',
  next: 'leave it out, or see which finalizers hold it',
})

/** Names that another definition has are not served. */
export const notEstablished = (definition: string, reason: string): Blocker => ({
  kind: 'not-established',
  definition,
  message: `${definition} is not established`,
  why: `the API server does not serve it: ${reason}`,
  next: 'see its conditions with kubectl describe crd',
})

/** The API server's own migrator works on it. */
export const migratingElsewhere = (definition: string): Blocker => ({
  kind: 'migrating-elsewhere',
  definition,
  message: `${definition} is being migrated by the cluster's own migrator`,
  why: 'it has the condition StorageMigrating, and that migrator trims storedVersions itself',
  next: 'wait until kubectl get storageversionmigrations shows its end, then look again',
})

/** Nothing can be listed or written. */
export const notServed = (definition: string): Blocker => ({
  kind: 'not-served',
  definition,
  message: `${definition} serves no version`,
  why: 'objects can only be rewritten through a version that is served',
  next: 'set served: true for its storage version',
})

/** Every API server refuses such a definition; a dump may hold one. */
export const noStorageVersion = (definition: string): Blocker => ({
  kind: 'no-storage-version',
  definition,
  message: `${definition} has no storage version`,
  why: 'not one of its versions has storage: true',
  next: 'set storage: true for one version',
})

/** Definitions of the old apiextensions.k8s.io/v1beta1 may come without schemas. */
export const noSchema = (definition: string, versions: readonly string[]): Blocker => ({
  kind: 'no-schema',
  definition,
  message: `${definition} has no schema for ${versions.join(', ')}`,
  why: 'the API server refuses every change of a definition without schemas, so storedVersions alone could be trimmed, and what a rewrite keeps is not known',
  next: 'give each version a schema; x-kubernetes-preserve-unknown-fields: true keeps everything',
})

/**
 * Objects are stored in versions that the spec lacks. The API server refuses a spec without a stored version, so somebody has
 * trimmed storedVersions before all objects were rewritten, or has forced the spec in etcd.
 */
export const versionGone = (definition: string, versions: readonly string[]): Blocker => ({
  kind: 'version-gone',
  definition,
  versions: [...versions],
  message: `${definition} may have objects stored in ${versions.join(', ')}, which its spec lacks`,
  why: 'the API server can read no object whose version is not in spec.versions, served or not: one of them makes every list of the kind fail',
  next: `bring ${versions.join(', ')} back into spec.versions (served: false, storage: false), migrate, then take it out again`,
})

/** The list fails because of an object in a version that the spec lacks. */
export const unreadable = (definition: string, version: string): Blocker => ({
  kind: 'unreadable',
  definition,
  versions: [version],
  message: `${definition} has objects stored in ${version}, which its spec lacks: nobody can list it`,
  why: 'storedVersions was trimmed before all objects were rewritten; the API server can neither read, write nor delete them now, and no controller can list the kind',
  next: `bring ${version} back into spec.versions (served: false, storage: false, the schema that it had), migrate, then take it out again`,
})

/** Objects cannot be read and written while their conversion does not run. */
export const conversionWebhook = (definition: string, why: string): Blocker => ({
  kind: 'conversion-webhook',
  definition,
  message: `the conversion webhook of ${definition} cannot answer`,
  why,
  next: 'see to the webhook first: each object of another version is converted by it',
})

/**
 * The version in the API server's words about an object that it cannot read, `request to convert CR from an invalid
 * group/version: g/v`; undefined where they say something else. With `to` in place of `from` it is about what a client asked.
 */
export function missingVersion(message: string, crd: Pick<CustomResourceDefinition, 'spec'>): string | undefined {
  const found = /request to convert CR (?:list )?from an invalid group\/version: ([^\s/]+)\/([\w-]+)/.exec(message)
  const [, group, version] = found ?? []
  if (group !== crd.spec.group || version === undefined) return undefined
  // A name that the spec has by now: it was brought back while the answer was on its way.
  return crd.spec.versions.some(({ name }) => name === version) ? undefined : version
}
