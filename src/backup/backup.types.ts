/** A back-up: objects as they were, and what had been applied of them. */
import type { AnyObject, ObjectReference } from '../kubernetes/objects.ts'

export interface SavedObject {
  /** the whole object as read */
  object: AnyObject
  /** only the fields that an installer had applied: what is applied again to go back; absent for user objects */
  applied?: AnyObject
}

export interface Backup {
  takenAt: string
  objects: SavedObject[]
  /** objects of the release that did not exist */
  absent: ObjectReference[]
  /** whole collections, by `apiVersion kind` */
  collections: Record<string, AnyObject[]>
}
