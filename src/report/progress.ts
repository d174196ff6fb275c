/** Long work reports here; `src/cli/progress.ts` draws it on stderr (listr2), tests and `-o json` use the silent one. */

export interface ProgressTask {
  /** a line that changes: a counter, what is waited for */
  update(text: string): void
  done(text?: string): void
  fail(text: string): void
}

export interface Progress {
  /** Starts a line. Tasks may overlap. */
  task(title: string): ProgressTask
}

export const silentProgress: Progress = {
  task: () => ({ update() {}, done() {}, fail() {} }),
}
