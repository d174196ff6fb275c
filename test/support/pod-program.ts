/**
 * What runs in pods of the playground's own tests: says what it was given, and ends as it is told.
 *   GET /env      its environment and arguments, and what its volumes hold
 *   GET /ready    200, or 503 after /unready
 *   GET /exit     ends with code 1
 *   SIGTERM       ends at once, or with STUBBORN=true never
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const ports = JSON.parse(process.env['AIRUNWAY_PORTS'] ?? '{}') as Record<string, number>
const volumes = JSON.parse(process.env['AIRUNWAY_VOLUMES'] ?? '{}') as Record<string, string>
let ready = true

function contents(directory: string): Record<string, string> {
  const names = readdirSync(directory)
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), 'utf8')]))
}

const server = createServer((request, response) => {
  if (request.url === '/exit') {
    response.end('ending', () => process.exit(1))
    return
  }
  if (request.url === '/unready') ready = false
  if (request.url === '/env') {
    const files = Object.entries(volumes).map(([path, directory]) => [path, contents(directory)])
    const account = contents(process.env['AIRUNWAY_SERVICEACCOUNT_DIR'] ?? '')
    response.end(
      JSON.stringify({
        env: process.env,
        args: process.argv.slice(2),
        volumes: Object.fromEntries(files) as object,
        account,
        pid: process.pid,
      }),
    )
    return
  }
  response.writeHead(ready ? 200 : 503).end()
})
process.on('SIGTERM', () => process.env['STUBBORN'] !== 'true' && process.exit(0))
server.listen(ports['8080'], '127.0.0.1')
process.stdout.write('pod program is up\n')
