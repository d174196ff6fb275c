/** docs/crd-rules.md as the rules themselves have it. */
import type { ChangeKind, Level } from '../../src/crds/comparison/comparison.types.ts'
import type { LevelRow } from '../../src/crds/comparison/profile.types.ts'
import { profileNames, profiles } from '../../src/crds/comparison/profiles.ts'
import { allRules } from '../../src/crds/comparison/rules.ts'

interface Rule {
  id: string
  compares: string
  kinds: Readonly<Record<string, ChangeKind>>
}

const introduction = `# Rules for changes of CustomResourceDefinitions

What \`kubectl airunway crd check\` looks at. This page is made from the rules, anew by
\`npx vitest run --project unit test/unit/crds/rules-page.test.ts -u\`.

A level is that of the rule; a profile may change it, and a configuration after the profile. Who is hurt: a *writer*'s request is
refused or means something else; a *reader* sees values, or misses some, as never before; a *stored* object becomes invalid,
loses data or changes its meaning. Below \`^.status\`, whose writers are controllers, the level in brackets holds.

A definition that only the old side has is \`crd.definition.removed\`, an error; one that only the new side has is
\`crd.definition.added\`, told.
`

/** The whole page. */
export function rulesPage(): string {
  const own = profileNames.flatMap((name) => {
    const { title, levels, policies, policiesForNew, kinds = {} } = profiles[name]
    const rows = levels.map(levelLine)
    const rules = [...new Map([...policies, ...policiesForNew].map((rule) => [rule.id, rule] as const)).values()]
    const compared = Object.entries(kinds).map(([id, kind]) => kindRow(id, kind))
    return [
      `## Profile \`${name}\`: ${title}`,
      rows.length === 0
        ? 'Every change keeps the level of its rule.'
        : `The first line that fits decides.\n\n${rows.join('\n')}`,
      ...rules.map(ruleText),
      ...(compared.length === 0 ? [] : [`It compares as crdify does, and in no other way.\n\n${table(compared)}`]),
    ]
  })
  return `${[introduction.trim(), '## Rules', ...allRules.map(ruleText), ...own].join('\n\n')}\n`
}

function ruleText({ id, compares, kinds }: Rule): string {
  const rows = Object.entries(kinds).map(([name, kind]) => kindRow(`${id}.${name}`, kind))
  return `### \`${id}\`: ${compares}\n\n${table(rows)}`
}

const table = (rows: readonly string[]): string =>
  ['| change | level | hurts | what | what to do |', '|---|---|---|---|---|', ...rows].join('\n')

function kindRow(id: string, { level, levelInStatus, audiences, title, fix }: ChangeKind): string {
  const levels = levelInStatus === undefined || levelInStatus === level ? level : `${level} (${levelInStatus})`
  const cells = [`\`${id}\``, levels, audiences.join(', ') || 'nobody', title, fix]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

const outcomes: Record<Level | 'none' | 'as it is', string> = {
  error: 'error',
  warning: 'warning',
  info: 'told',
  none: 'nothing',
  'as it is': 'the level of its rule',
}

function levelLine({ ids = ['crd.*'], scopes, stabilities, from, announced, to }: LevelRow): string {
  const conditions = [
    ids.map((id) => `\`${id}\``).join(', '),
    ...(scopes === undefined ? [] : [`compared by ${scopes.join(' or ')}`]),
    ...(stabilities === undefined ? [] : [`in ${stabilities.join(' or ')} versions`]),
    ...(from === undefined ? [] : [`with the level ${from}`]),
    ...(announced === undefined ? [] : ['where the version was deprecated before and a webhook converts from it']),
  ]
  return `- ${conditions.join(', ')}: ${outcomes[to]}`
}
