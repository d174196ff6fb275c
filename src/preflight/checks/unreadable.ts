/** What could not be read, so that nothing is silently absent. */
import type { ClusterCheck } from '../check.types.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'

/** How many things a title names. */
const NAMED = 3

export const check: ClusterCheck = {
  ids: ['unreadable'],
  group: 'installation',
  title: 'everything that the checks look at could be read',
  reads: [],
  needs: 'cluster',
  run({ inventory }) {
    // one missing right can hide many things: told once, with all of them
    const reasons = Map.groupBy(inventory.unreadable, ({ why }) => why)
    return [...reasons].map(([why, entries]) =>
      unreadable(
        entries.map(({ what }) => what),
        why,
      ),
    )
  },
}

function unreadable(what: readonly string[], why: string): Finding {
  const names = what.flatMap((text) => text.split(', '))
  const rest = names.length - NAMED
  return finding({
    id: 'unreadable',
    severity: 'error',
    title: `could not read ${names.slice(0, NAMED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`,
    evidence: { what: what.toSorted() },
    cause: `${why}. The checks that need it found nothing because they saw nothing.`,
    fix: {
      text: 'Use an account that may get and list it, or have the right granted.',
      command: 'kubectl auth can-i --list',
    },
    // somebody may know the kubelets; nobody can vouch for an upgrade whose objects were not seen
    acceptable: what.every((name) => name === 'Nodes'),
  })
}
