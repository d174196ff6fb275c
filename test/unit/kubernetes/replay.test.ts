/** Reads are recorded and replayed; nothing else is. */
import { expect, test } from 'vitest'
import { keepRecording, replayClient } from '../../../src/kubernetes/replay.ts'
import { stage } from './story.ts'
import { status } from './tls-server.ts'

const on = stage()
const pods = { apiVersion: 'v1', kind: 'Pod', namespace: 'n' }

test('what was read is answered again, the forms of one list apart; what was not is no "not found"', async () => {
  const item = { metadata: { name: 'a' } }
  const server = await on.serve(({ method, url, headers, body }) => {
    if (method === 'POST') return { body: { status: { allowed: body.includes('"get"') } } }
    if (url.pathname.endsWith('/gone')) return status(404, 'NotFound', 'gone')
    if (headers.accept?.includes('as=Table'))
      return { body: { columnDefinitions: [{ name: 'Name' }], rows: [{ cells: ['a'], object: item }] } }
    if (url.searchParams.get('continue') === null)
      return { body: { items: [{ ...item, spec: { x: 1 } }], metadata: { continue: 'c' } } }
    return { body: { items: [{ metadata: { name: 'b' } }], metadata: {} } }
  })
  const recorder = keepRecording()
  const live = await on.connectTo(server.url, { token: 'hush' }, { recorder })
  const ask = (verb: string) => ({ verb, group: '', resource: 'pods' })
  const read = async (client: typeof live) => [
    await client.list(pods),
    await Array.fromAsync(client.metadataPages(pods)),
    await client.table(pods),
    await client.find({ ...pods, name: 'gone' }),
    await client.canI([ask('get'), ask('delete')]),
  ]
  const first = await read(live)
  await live.create({ ...pods, metadata: { name: 'made', namespace: 'n' } })

  const kept = JSON.parse(JSON.stringify(recorder.recording)) as typeof recorder.recording
  expect(JSON.stringify(kept)).not.toContain('hush')
  const replayed = replayClient(kept)
  expect(await read(replayed)).toEqual(first)
  expect(await replayed.canI([ask('get')])).toEqual([true])
  const missing = { name: 'ConnectionError', code: 'ENOTRECORDED' }
  await expect(replayed.find({ ...pods, name: 'other' })).rejects.toMatchObject(missing)
  await expect(replayed.canI([ask('patch')])).rejects.toMatchObject(missing)
  await expect(replayed.create({ ...pods, metadata: { name: 'made', namespace: 'n' } })).rejects.toMatchObject(missing)
  await expect(Array.fromAsync(replayed.watch(pods, { resourceVersion: '1' }))).rejects.toMatchObject(missing)
})
