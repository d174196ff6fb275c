import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type DrawnProgress, lineProgress, liveProgress } from '../../../src/cli/progress.ts'

/** A stream that keeps what is written, and says that it is a terminal of 80 columns. */
const captured = (): { stderr: NodeJS.WriteStream; text: () => string } => {
  const stream = new PassThrough()
  const chunks: string[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
  const stderr = Object.assign(stream, { isTTY: true, columns: 80, rows: 24 }) as unknown as NodeJS.WriteStream
  return { stderr, text: () => chunks.join('') }
}

const env = { LANG: 'C.UTF-8' }

describe('plain lines', () => {
  const draw = (story: (progress: DrawnProgress, clock: { ms: number }) => void): string => {
    const { stderr, text } = captured()
    const clock = { ms: 0 }
    story(
      lineProgress({ stderr, env, color: false }, () => clock.ms),
      clock,
    )
    return text()
  }

  test('one line at the end', () => {
    expect(
      draw((progress) => {
        const [one, two] = [progress.task('one'), progress.task('two')]
        two.fail('broken')
        one.done('one is there')
      }),
    ).toBe('✗ two: broken\n✓ one is there\n')
  })

  test('updates after five seconds, then ever less often, and only new ones', () => {
    expect(
      draw((progress, clock) => {
        const task = progress.task('copy')
        for (let count = 1; count <= 50; count += 1) {
          clock.ms = count * 1000
          task.update(`${count} objects`)
        }
        clock.ms = 100_000
        task.update('35 objects')
        task.done()
      }),
    ).toBe('  copy: 5 objects\n  copy: 15 objects\n  copy: 35 objects\n✓ copy\n')
  })
})

describe('the live line', () => {
  test('overlapping tasks are drawn in the order they began, each with its outcome', async () => {
    const { stderr, text } = captured()
    const progress = liveProgress({ stderr, env, color: true })
    const [one, two] = [progress.task('one'), progress.task('two')]
    two.done('two is there')
    one.fail('broken')
    await progress.settle()
    const lines = stripVTControlCharacters(text())
    expect(lines).toContain('one\n  › broken')
    expect(lines).toContain('two is there')
    expect(lines.indexOf('broken')).toBeLessThan(lines.indexOf('two is there'))
  })

  test('stop ends what is open', async () => {
    const { stderr, text } = captured()
    const progress = liveProgress({ stderr, env, color: true })
    progress.task('endless')
    await progress.stop()
    expect(stripVTControlCharacters(text())).toContain('endless\n  › stopped')
  })
})
