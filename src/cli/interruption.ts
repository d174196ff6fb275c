/** Ctrl-C: the first one aborts the work through a signal, the second one ends the process at once. */
import { ExitCode } from './exit-codes.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface Interruption extends Disposable {
  readonly signal: AbortSignal
}

/**
 * Listens until disposed. `notify` is told once, at the first signal; `exit` ends the process at the second.
 * The abort reason is an AbortError, as `AbortController` gives it.
 */
export const listenForInterruption = (input: { notify: () => void; exit: (code: number) => void }): Interruption => {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      input.exit(ExitCode.interrupted)
      return
    }
    controller.abort()
    input.notify()
  }
  for (const name of signals) process.on(name, onSignal)
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of signals) process.off(name, onSignal)
    },
  }
}
