/** What the commands about definitions share: arguments and flags. */
import { string as argument } from '@oclif/core/args'
import { boolean, option, string } from '@oclif/core/flags'
import type { ProfileName } from '../crds/comparison/comparison.types.ts'
import { Refusal } from '../report/refusal.ts'

const forms = 'a file, a folder, -, cluster:, cluster:NAME, release:VERSION or git:REF:PATH'

/** One side; help shows the key that it has among the arguments. */
export const side = () => argument({ description: forms, required: true })

/** Flags of every command that reads definitions. */
export const sourceFlags = {
  recursive: boolean({ summary: 'read what lies below a folder, too' }),
  releases: string({
    summary: 'folder of releases, one folder a version, for release:VERSION',
    helpValue: 'DIR',
    env: 'AIRUNWAY_RELEASES',
  }),
}

/** Held to the engine's own list by a test: help must load nothing of it. */
export const profileChoices: readonly ProfileName[] = ['kubernetes', 'kubeairunway', 'ngf', 'olm', 'strict']

/** Flags of every command that judges. */
export const judgingFlags = {
  profile: option({
    summary: "whose rules; kubeairunway for AI Runway's own groups and kubernetes for others, unless given",
    helpValue: 'NAME',
    options: profileChoices,
  })(),
  history: string({
    summary: "an earlier release, oldest first, OLD's last; or a folder with a folder for each",
    helpValue: '[NAME=]SOURCE',
    multiple: true,
    multipleNonGreedy: true,
  }),
}

/** A number of a release, as releases are numbered. */
export const releaseNumber = async (text: string): Promise<string> => {
  if (/^v?\d+\.\d+\.\d+(-[\w.-]+)?$/.test(text)) return text
  throw new Refusal('usage', `${text} is no version of a release.`, { next: 'write it as v1.4.0' })
}
