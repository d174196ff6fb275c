/** Draws progress on stderr: a live line on a terminal (listr2), plain lines elsewhere. stdout is never touched. */
import type { ListrDefaultRendererLogLevels } from 'listr2'
import type { Progress, ProgressTask } from '../report/progress.ts'
import { wantsUnicode } from './terminal.ts'

export interface DrawnProgress extends Progress {
  /** Resolves once everything ended so far is drawn; call it before the result is printed. */
  settle(): Promise<void>
  /** Ends what is still open, for an error that ended the command in the middle of a task. */
  stop(): Promise<void>
}

interface Output {
  stderr: NodeJS.WriteStream
  env: Readonly<Record<string, string | undefined>>
  color: boolean
}

/**
 * Chooses the way to draw. Lines where the terminal has no colours, no UTF-8 or no width: listr2 draws by the environment alone,
 * and with no width one letter a line.
 */
export const createProgress = (output: Output): DrawnProgress => {
  const { isTTY, columns } = output.stderr
  const live = isTTY && columns > 0 && output.color && wantsUnicode(output.env, process.platform)
  return live ? liveProgress(output) : lineProgress(output)
}

/** The first update of a task is told after this; each further one after twice the pause before, so that a log stays readable. */
const FIRST_UPDATE_MS = 5000
const LONGEST_PAUSE_MS = 60_000

/** One line when a task ends; while it works, lines where they say something new, ever less often. */
export const lineProgress = (output: Output, now: () => number = Date.now): DrawnProgress => {
  const unicode = wantsUnicode(output.env, process.platform)
  const [ok, bad] = unicode ? ['✓', '✗'] : ['ok', 'FAILED']
  const write = (line: string): void => {
    output.stderr.write(`${line}\n`)
  }
  return {
    task: (title) => {
      let lastText = ''
      let lastTime = now()
      let pause = FIRST_UPDATE_MS
      return {
        update: (text) => {
          if (text === lastText || now() - lastTime < pause) return
          lastText = text
          lastTime = now()
          pause = Math.min(2 * pause, LONGEST_PAUSE_MS)
          write(`  ${title}: ${text}`)
        },
        done: (text) => write(`${ok} ${text ?? title}`),
        fail: (text) => write(`${bad} ${title}: ${text}`),
      }
    },
    settle: async () => {},
    stop: async () => {},
  }
}

interface LiveTask {
  title: string
  text: string
  outcome: PromiseWithResolvers<{ failed: boolean; text: string | undefined }>
  redraw: () => void
}

/**
 * One live line at a time: listr2 cannot take tasks into a list that runs, so tasks that overlap are drawn in the order
 * they started, each with its latest text.
 */
export const liveProgress = (output: Output): DrawnProgress => {
  const open = new Set<LiveTask>()
  let drawn: Promise<void> = Promise.resolve()
  const end = (task: LiveTask, failed: boolean, text: string | undefined): void => {
    open.delete(task)
    task.outcome.resolve({ failed, text })
  }
  return {
    task: (title): ProgressTask => {
      const task: LiveTask = { title, text: '', outcome: Promise.withResolvers(), redraw: () => {} }
      open.add(task)
      drawn = drawn.then(() => draw(task, output))
      return {
        update: (text) => {
          task.text = text
          task.redraw()
        },
        done: (text) => end(task, false, text),
        fail: (text) => end(task, true, text),
      }
    },
    // Only what has ended: an open task must not hold back a question or a result.
    settle: () => (open.size === 0 ? drawn : Promise.resolve()),
    stop: () => {
      for (const task of open) end(task, true, 'stopped')
      return drawn
    },
  }
}

/** Draws one task until it ends. listr2's signal listeners stay off: Ctrl-C belongs to the command. */
const draw = async (task: LiveTask, output: Output): Promise<void> => {
  const { DefaultRenderer, Listr, ListrLogger, ProcessOutput } = await import('listr2')
  const logger = new ListrLogger<ListrDefaultRendererLogLevels>({
    useIcons: true,
    processOutput: new ProcessOutput(output.stderr, output.stderr),
  })
  // listr2 chooses by stdout, and would write there: stderr may be the only terminal (`-o json | jq`).
  class StderrRenderer extends DefaultRenderer {
    static override nonTTY = true
  }
  const list = new Listr(
    [
      {
        title: task.title,
        task: async (_context, line) => {
          task.redraw = () => {
            line.output = task.text
          }
          if (task.text !== '') task.redraw()
          const { failed, text } = await task.outcome.promise
          if (failed) throw new Error(text ?? 'failed')
          if (text !== undefined) line.title = text
        },
      },
    ],
    {
      exitOnError: false,
      registerSignalListeners: false,
      renderer: StderrRenderer,
      rendererOptions: { logger, collapseErrors: false },
    },
  )
  await list.run()
}
