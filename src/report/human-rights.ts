/** Rights as YAML that `kubectl apply -f -` takes as it is: what is said beside it stands in comments. */
import { stringify } from 'yaml'
import type { RightsReport } from '../services/print-rights.ts'

/** One document an object, in the order in which they can be applied. */
export const renderRights = ({ plan, metadata, subject, placeholder, objects }: RightsReport): string => {
  const { cluster } = metadata
  const head = [
    `# What ${placeholder ? 'whoever carries it out' : subject.name} needs for this ${plan.kind} of ${plan.product} from ${plan.from} to ${plan.to} (${plan.tier}, plan ${plan.hash}),`,
    `# on ${cluster.context ?? cluster.server} as it was on ${metadata.time}; nothing more, and not for another run. Discovery and reviews of`,
    "# one's own rights are left out: every user who has logged in may use them (system:discovery, system:basic-user).",
    ...(placeholder
      ? [
          `# Put the user in place of ${subject.name}, or name it with --for USER or --for system:serviceaccount:NAMESPACE:NAME.`,
        ]
      : []),
  ]
  const documents = objects.map(
    (object) => `---\n${remark(object)}${stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 })}`,
  )
  return `${head.join('\n')}\n${documents.join('')}`
}

/** Why it may be left out. */
const remark = ({ metadata: { annotations = {} } }: RightsReport['objects'][number]): string => {
  const why = annotations['cli.airunway.ai/optional']
  return why === undefined ? '' : `# May be left out: ${why}.\n`
}
