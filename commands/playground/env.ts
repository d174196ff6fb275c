import { PlainCommand } from '../../src/cli/base-command.ts'

export class Env extends PlainCommand {
  static override summary = 'shell commands that make kubectl and this tool use the playground'

  static override examples = [
    { description: 'use it in this shell', command: 'eval "$(<%= config.bin %> <%= command.id %>)"' },
  ]

  static override exitCodes = ['ok', 'failed', 'usage', 'interrupted'] as const

  async run(): Promise<void> {
    await this.parse(Env)
    const { shellEnvironment } = await import('../../src/playground/status.ts')
    await this.print(shellEnvironment(process.env))
  }
}
