/** Advice on a wanted change: whether a new version is needed, and which release does what. */
import type { Advice, AdviceReason, Bump, ReleasePart } from '../crds/comparison/advice.types.ts'
import type { CrdAdviceReport } from '../services/crd-report.types.ts'
import { paint, sign, type TextStyle, wrap } from './style.ts'

/** How many reasons are told. */
const REASONS_SHOWN = 12

const bumps: Record<Bump, string> = {
  none: 'no new version',
  'bump-with-webhook': 'a new version, with a conversion webhook',
  'bump-without-webhook': 'a new version, without a conversion webhook',
}

/** Gives the whole text, ending with a newline. */
export function renderCrdAdvice({ advice, unpaired }: CrdAdviceReport, style: TextStyle): string {
  const blocks = advice.flatMap((each) => adviceBlocks(each, style))
  const alone = unpaired.map(
    ({ name, presence }) => `${sign(style, 'info')} ${name} is ${presence}: nothing is advised`,
  )
  return `${[...blocks, alone]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function adviceBlocks(advice: Advice, style: TextStyle): string[][] {
  const { name, profile, version, bump, newVersion, verdict, because, parts, byHand, impossible } = advice
  const to = newVersion === undefined ? '' : `: ${newVersion}`
  return [
    [
      `${paint(style, 'bold', name)} ${version}  profile ${profile}`,
      `${sign(style, impossible.length > 0 ? 'error' : 'info')} ${bumps[bump]}${to}`,
      ...wrap(style, '   ', verdict),
    ],
    reasonLines('Not possible in any release', impossible, style),
    reasonLines('Because', because, style),
    ...parts.map((part) => partLines(part, style)),
    byHand.length === 0 ? [] : ['Users have to', ...bullets(byHand, style)],
  ]
}

function reasonLines(title: string, reasons: readonly AdviceReason[], style: TextStyle): string[] {
  if (reasons.length === 0) return []
  const rest = reasons.length - REASONS_SHOWN
  return [
    title,
    ...reasons.slice(0, REASONS_SHOWN).flatMap(({ id, path, title: what, asksFor }) => {
      const place = path === '' ? '' : `${path}  `
      return [`  ${place}${what} ${paint(style, 'dim', `(${id})`)}: ${bumps[asksFor]}`]
    }),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ]
}

function partLines({ release, releasesLater, actions, why }: ReleasePart, style: TextStyle): string[] {
  const later =
    releasesLater === 0 ? 'The next release' : `${releasesLater} release${releasesLater === 1 ? '' : 's'} later`
  return [
    paint(style, 'bold', release === undefined ? later : `${release} (${later.toLowerCase()})`),
    ...bullets(actions, style),
    ...wrap(style, '    ', why),
  ]
}

const bullets = (texts: readonly string[], style: TextStyle): string[] =>
  texts.flatMap((text) => {
    const [first = '', ...rest] = wrap(style, '    ', text)
    return [`  - ${first.trimStart()}`, ...rest]
  })
