/** Read-modify-write in tests, beside controllers of the API server that write the same object. */
import { ApiError } from '../../src/kubernetes/errors.ts'

/**
 * What `write` gives: read, change, replace. It is called again while the object changed in between: the status of a
 * definition is written for some time after it is established. Any other error is thrown at once.
 */
export async function withoutConflict<T>(write: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      if (!(error instanceof ApiError && error.reason === 'Conflict')) throw error
    }
  }
}
