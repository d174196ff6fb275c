/** The kinds of change that a bound can see, in the words of the bound. */
import type { ChangeKind } from '../comparison.types.ts'
import { breaks, tells } from '../rule.ts'

export type BoundKind = 'added' | 'tightened' | 'relaxed' | 'removed' | 'no-effect'

const stuck = 'are refused, and stored objects that hold one cannot be written any more.'

/** `values` says what is beyond the bound: `larger values`. */
export function boundKinds(bound: string, values: string): Record<BoundKind, ChangeKind> {
  const look = 'Look with --live whether an object is beyond it; else restrict the field in a new version.'
  return {
    added: breaks(['writer', 'stored'], `${bound} is new`, `There was no such limit: ${values} ${stuck}`, look),
    tightened: breaks(['writer', 'stored'], `${bound} is tighter`, `What lay between: ${values} ${stuck}`, look),
    relaxed: tells(
      ['reader'],
      `${bound} is wider`,
      `Clients may see ${values} than ever before.`,
      'Going back needs objects within the old limit.',
    ),
    removed: tells(
      ['reader'],
      `${bound} is gone`,
      `Clients may see ${values} than ever before.`,
      'Going back needs objects within the old limit.',
    ),
    'no-effect': tells([], `${bound} restricts nothing`, 'Every value keeps to it anyway.', 'Nothing to do.'),
  }
}
