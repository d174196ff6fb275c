/** What the operating system says about processes that may or may not be ours any more. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * The arguments of a running process; undefined where there is none (a zombie counts as gone, it has no arguments).
 * Linux keeps them apart by NUL characters; elsewhere `ps` joins them by spaces, so there the result is one string.
 */
export function commandLine(pid: number): string[] | undefined {
  if (!Number.isInteger(pid) || pid <= 1) return undefined
  try {
    if (process.platform === 'linux') {
      const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return text === '' ? undefined : text.split('\0').slice(0, -1)
    }
    const text = execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    return text === '' ? undefined : [text]
  } catch {
    return undefined
  }
}

/** Whether one of a process' arguments names the directory itself or something in it. Pure. */
export function namesDirectory(args: string[], directory: string): boolean {
  return args.some(
    (arg) =>
      arg === directory ||
      arg.includes(`${directory}/`) ||
      arg.endsWith(` ${directory}`) ||
      arg.includes(`${directory} `),
  )
}

/**
 * Whether the process with this id still is one that was started for the directory. Process ids are used again,
 * so an id from a file proves nothing: the arguments have to name the directory.
 */
export function runsFor(pid: number, directory: string): boolean {
  const args = commandLine(pid)
  return args !== undefined && namesDirectory(args, directory)
}

/** When a process started, in whatever unit the system has; with the id it names a process for good. */
export function startOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // The name in parentheses may hold spaces; the start time is the 20th field after it (proc(5), field 22).
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
  } catch {
    return undefined
  }
}

/** Sends a signal; a process (or, with a negative id, a process group) that is gone already is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
