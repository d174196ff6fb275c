import { join } from 'node:path'
import { spawn } from '@lydell/node-pty'
import { describe, expect, test } from 'vitest'

const program = join(import.meta.dirname, 'fixture', 'trial-program.ts')

/** Runs the program on a terminal and types when the question is there. */
const onTerminal = (keys: string): Promise<{ code: number; screen: string }> =>
  new Promise((resolve) => {
    const { PATH, HOME } = process.env
    const env = { PATH, HOME, LANG: 'C.UTF-8', TERM: 'xterm', TRIAL: 'confirm' }
    const terminal = spawn(process.execPath, [program, 'trial'], { cols: 80, rows: 24, env })
    let [screen, typed] = ['', false]
    terminal.onData((data) => {
      screen += data
      if (typed || !screen.includes('Sure?')) return
      typed = true
      terminal.write(keys)
    })
    terminal.onExit(({ exitCode }) => resolve({ code: exitCode, screen }))
  })

describe.concurrent('a question on a terminal', () => {
  test.each([
    ['y\r', 0, 'confirmed=true'],
    ['n\r', 0, 'confirmed=false'],
    ['\r', 0, 'confirmed=false'],
  ])('%j: exit %i, %s', async (keys, code, text) => {
    const ended = await onTerminal(keys)
    expect(ended.screen).toContain(text)
    expect(ended.screen).toContain('worked')
    expect(ended.code).toBe(code)
  })

  test('Ctrl-C ends it with 130, and without an answer', async () => {
    const ended = await onTerminal('\u0003')
    expect(ended.screen).toContain('Interrupted.')
    expect(ended.screen).not.toContain('confirmed=')
    expect(ended.code).toBe(130)
  })
})
