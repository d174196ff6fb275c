/** Versions as people, image tags and labels write them. Pure. */
import { parse } from 'semver'
import { ReleaseError } from './errors.ts'

/**
 * A release version in its one form, with leading `v`. Takes `v0.2.0` and `0.2.0`, prereleases too.
 * Throws ReleaseError `bad-version` for everything else: a release is always a full semantic version X.Y.Z.
 */
export function releaseVersion(text: string): string {
  // semver itself also takes `=0.2.0` and blanks around it.
  const version = /^v?\d/.test(text) ? parse(text) : null
  if (version === null || version.build.length > 0) {
    throw new ReleaseError('bad-version', `"${text}" is not a release version`, {
      why: 'a release has a semantic version of three numbers, such as v0.2.0',
      next: 'name the release in full, for example --to v0.2.0',
    })
  }
  return `v${version.version}`
}

/** What a tag or a label says about a version. */
export type VersionText = { version: string; note?: string } | { why: string }

/**
 * Reads a version from an image tag or a label: with or without `v`, gives it without. A suffix stays, and is explained.
 * `latest`, `0.7`, branch and commit tags name no version: the reason is given instead.
 */
export function readVersionText(text: string): VersionText {
  const version = /^v?\d/.test(text) ? parse(text) : null
  if (version !== null && version.prerelease[0] !== 'devel') {
    const base = `${version.major}.${version.minor}.${version.patch}`
    const suffix = version.prerelease.join('.')
    if (/^\d{8}$/.test(suffix)) return { version: version.version, note: `a nightly build of ${base}` }
    return suffix === '' ? { version: version.version } : { version: version.version, note: `a build of ${base}` }
  }
  if (version !== null) return { why: `"${text}" is a placeholder of development builds` }
  if (/^v?\d+(\.\d+)?$/.test(text)) return { why: `"${text}" moves with every patch release` }
  if (/latest|^main$|^master$|nightly/.test(text)) return { why: `"${text}" moves with every build` }
  return { why: `"${text}" is not a version` }
}
