/** What the commands print about a playground. Pure. */
import { stringify } from 'yaml'
import type { PlaygroundReport } from './status.ts'

export type PlaygroundFormat = 'human' | 'json' | 'yaml'

function render(report: PlaygroundReport, format: PlaygroundFormat, human: () => string): string {
  if (format === 'human') return human()
  return format === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : stringify(report, { lineWidth: 0 })
}

/** For `playground status`. */
export const renderStatus = (report: PlaygroundReport, format: PlaygroundFormat): string =>
  render(report, format, () => humanStatus(report))

/** For `playground up`. */
export const renderUp = (report: PlaygroundReport, already: boolean, format: PlaygroundFormat): string =>
  render(report, format, () => humanUp(report, already))

/** For `playground down`. */
export const renderDown = (report: PlaygroundReport, removed: boolean, format: PlaygroundFormat): string =>
  render(report, format, () => (removed ? 'The playground and its files are gone.\n' : 'No playground is up.\n'))

const phases: Record<PlaygroundReport['phase'], string> = {
  Running: 'up',
  Starting: 'starting',
  Failed: 'failed; `kubectl airunway playground up` starts a new one',
  Dead: 'dead, its supervisor was killed; `kubectl airunway playground up` starts a new one',
  Down: 'down',
}

/** One line a fact; the facts that are not known are left out. */
function humanStatus(report: PlaygroundReport): string {
  const lines: [string, string | undefined][] = [
    ['playground', phases[report.phase]],
    ['Kubernetes', report.kubernetes],
    ['scenario', report.scenario],
    ['directory', report.phase === 'Down' ? undefined : report.directory],
    ['API server', report.server],
    ['kubeconfig', report.kubeconfig],
    ['releases', report.releases],
    ['servers', report.servers && `${report.servers.folder} (${report.servers.source})`],
    ['audit log', report.auditLog],
    ['failure', report.failure],
  ]
  return lines.flatMap(([name, value]) => (value ? [`${`${name}:`.padEnd(12)} ${value}\n`] : [])).join('')
}

// where v0.2.0 would be a way back, or no change
const nextVersions: Partial<Record<string, string>> = { 'stored-v1alpha1': 'v0.4.0', 'before-v1': 'v0.5.0' }

/** What to type once it is up. */
function humanUp(report: PlaygroundReport, already: boolean): string {
  const to = nextVersions[report.scenario ?? ''] ?? 'v0.2.0'
  const first = already ? 'The playground is up already' : 'The playground is up'
  return `${first}: Kubernetes ${report.kubernetes}, scenario ${report.scenario}.

Use it in this shell:
  eval "$(kubectl airunway playground env)"
Then look around and try an upgrade:
  kubectl get modeldeployments -A
  kubectl airunway preflight --to ${to}
  kubectl airunway upgrade --to ${to}
And remove it:
  kubectl airunway playground down
`
}
