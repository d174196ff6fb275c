/** The hop from the running version to the release, by the release policy. */
import { classifyHop } from '../../releases/policy.ts'
import type { ReleaseCheck, ReleaseContext } from '../check.types.ts'
import { finding } from '../finding.ts'
import type { Finding } from '../finding.types.ts'
import { otherVersionCommand, rollbackCommand } from '../own-command.ts'
import { runningVersion, runsAlready } from '../subject.ts'

export const check: ReleaseCheck = {
  ids: ['release-downgrade', 'release-skips-minor', 'release-same-version'],
  group: 'release',
  title: 'the release is the next step from the version that runs',
  reads: ['deployments'],
  needs: 'release',
  run(context) {
    const from = runningVersion(context.inventory)
    // without a known version the hop cannot be judged; controller-version-unknown says so
    return from === undefined ? [] : judge(from, context)
  },
}

function judge(from: string, context: ReleaseContext): Finding[] {
  const to = context.release.version
  const hop = classifyHop(from, to)
  if (hop.direction === 'back') return [downgrade(from, to, context)]
  switch (hop.kind) {
    case 'same':
      return [same(from, to, context)]
    case 'skips-minors':
      return [skipped(from, to, hop.skipped, context)]
    case 'major':
      return [newMajor(from, to)]
    case 'patch':
    case 'minor':
      return []
  }
}

function same(from: string, to: string, context: ReleaseContext): Finding {
  const { pinnedImage } = context.release.controller
  const image = context.inventory.installs[0]?.image
  return finding({
    id: 'release-same-version',
    severity: 'info',
    title: `${to} runs already`,
    evidence: { from, to },
    cause: runsAlready(context)
      ? 'The controller runs the image of this release. There may still be differences to its manifest.'
      : `The controller runs another image of this version: ${image}, not ${pinnedImage}.`,
    fix: {
      text: runsAlready(context)
        ? 'Nothing to do, or choose another release with --to.'
        : 'Upgrade all the same where the image shall be the one of the release, or choose another release with --to.',
    },
  })
}

function downgrade(from: string, to: string, context: ReleaseContext): Finding {
  return finding({
    id: 'release-downgrade',
    severity: 'error',
    title: `${to} is older than ${from}, which runs`,
    evidence: { from, to },
    cause:
      'An older CRD hides fields that the newer version wrote, and the next write removes them for good. Going back needs the records of the upgrade.',
    fix: { text: 'To go back to what ran before, use rollback.', command: rollbackCommand(context) },
    acceptable: false,
  })
}

/** The release policy tests upgrades from the last minor version only, so a longer hop was never tested; patches may be skipped. */
function skipped(from: string, to: string, minors: readonly string[], context: ReleaseContext): Finding {
  const names = minors.map((minor) => `v${minor}`)
  return finding({
    id: 'release-skips-minor',
    severity: 'error',
    title: `${from} to ${to} skips ${names.join(', ')}`,
    evidence: { from, to, skipped: names },
    cause:
      'The release policy tests upgrades from the last minor version only. Deprecations, CRD versions and stored objects move one minor at a time.',
    fix: {
      text: `Upgrade step by step: first to the newest patch of ${names[0]}.`,
      command: otherVersionCommand(context, `${names[0]}.0`),
    },
    acceptable: false,
  })
}

/** Which minor is the last of a major version is not in its number. */
function newMajor(from: string, to: string): Finding {
  return finding({
    id: 'release-skips-minor',
    severity: 'warning',
    title: `${from} to ${to} goes to another major version`,
    evidence: { from, to },
    cause: `Upgrades are tested from the last minor version only, and whether ${from} is the last one before ${to} is not known here.`,
    fix: { text: 'Look it up in the release notes, then accept the finding.' },
  })
}
