/** Fills in the template of krew's manifest. */

/**
 * Replaces `{{version}}` and `{{sha256:PLATFORM}}`. Throws where a platform of the template has no checksum, or a checksum
 * no place: a manifest is complete or it is not made.
 */
export const renderKrewManifest = (
  template: string,
  version: string,
  checksums: Readonly<Record<string, string>>,
): string => {
  const used = new Set<string>()
  const rendered = template
    .replaceAll('{{version}}', `v${version}`)
    .replaceAll(/\{\{sha256:([\w-]+)\}\}/g, (_, name: string) => {
      const checksum = checksums[name]
      if (checksum === undefined) throw new Error(`no archive was made for ${name}`)
      used.add(name)
      return checksum
    })
  const unused = Object.keys(checksums).filter((name) => !used.has(name))
  if (unused.length > 0) throw new Error(`the manifest has no place for ${unused.join(', ')}`)
  return rendered
}
