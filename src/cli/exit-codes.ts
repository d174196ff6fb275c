/** The one list of exit codes. `docs/exit-codes.md` is held to it by a test; every help page prints it. */

export const ExitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  blocked: 3,
  warnings: 4,
  locked: 5,
  unfinished: 6,
  wentBack: 7,
  cannotGoBack: 8,
  interrupted: 130,
} as const

export type ExitName = keyof typeof ExitCode
export type ExitCode = (typeof ExitCode)[ExitName]

/** What each code says, in one line. */
export const exitMeanings: Readonly<Record<ExitName, string>> = {
  ok: 'done, or all checks passed',
  failed: 'failed; also when the API server cannot be reached or does not know us',
  usage: 'bad usage or bad input: nothing was changed',
  blocked: 'blocked by an error finding or by missing rights',
  warnings: 'only warnings',
  locked: 'another run holds the lock',
  unfinished: 'an earlier run is unfinished',
  wentBack: 'a gate failed and the run went back',
  cannotGoBack: 'cannot be rolled back',
  interrupted: 'interrupted (Ctrl-C)',
}

/** All names, in the order of their codes. */
export const exitNames = Object.keys(ExitCode) as ExitName[]
