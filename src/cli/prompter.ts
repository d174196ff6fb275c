/** Asks a person; refuses where there is none. */
import { Refusal } from '../report/refusal.ts'

export interface Prompter {
  /**
   * Asks yes or no, with no as the default. Refuses (usage) where there is no terminal.
   * Throws ExitPromptError or AbortPromptError on Ctrl-C.
   */
  confirm(message: string): Promise<boolean>
}

/**
 * With `yes` nothing is asked. Without a terminal inquirer would draw its question into the void and die with exit 13,
 * so the question is refused before it is loaded. Questions are written on stderr: stdout holds the result alone.
 */
export const createPrompter = (input: {
  yes: boolean
  stdin: NodeJS.ReadStream
  stderr: NodeJS.WriteStream
  signal: AbortSignal
}): Prompter => ({
  confirm: async (message) => {
    if (input.yes) return true
    if (!input.stdin.isTTY || !input.stderr.isTTY) {
      throw new Refusal('usage', 'This changes the cluster and there is no terminal to ask for confirmation.', {
        next: 'pass --yes to confirm in scripts',
      })
    }
    const { default: inquirer } = await import('inquirer')
    const ask = inquirer.createPromptModule({ input: input.stdin, output: input.stderr, signal: input.signal })
    const { answer } = await ask<{ answer: boolean }>([{ type: 'confirm', name: 'answer', message, default: false }])
    return answer
  },
})
