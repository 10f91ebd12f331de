// The proxy that freezes one resource of an API server: that it holds back what it should, loses nothing, and nothing else waits.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type EtcdProxy, startEtcdProxy } from '../servers/etcd-proxy.ts'
import { until } from './stage/cluster.ts'

const MARK = '/registry/things'
let echo: Server
let proxy: EtcdProxy
const opened: Socket[] = []

beforeEach(async () => {
  echo = createServer(socket => socket.pipe(socket).on('error', () => {}))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  proxy = await startEtcdProxy(`http://127.0.0.1:${(echo.address() as AddressInfo).port}`, MARK)
})
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy()
  await proxy.close()
  await new Promise(resolve => echo.close(resolve))
})

/** A connection that says things and keeps what comes back. */
async function client(): Promise<{ say(text: string): void; heard(): string }> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(proxy.url).port) })
  opened.push(socket)
  await once(socket, 'connect')
  let heard = ''
  socket.on('data', chunk => {
    heard += chunk.toString('utf8')
  })
  return { say: text => void socket.write(text), heard: () => heard }
}

/** Goes once through the proxy and back on another connection, so that whatever could pass has passed. */
async function pause(): Promise<void> {
  const other = await client()
  other.say('other')
  await until(() => other.heard() === 'other')
}

it('holds back the connections that named the resource, in both directions, and passes all of it on in order later', async () => {
  const marked = await client()
  marked.say(`put ${MARK}/a;`)
  await until(() => marked.heard() === `put ${MARK}/a;`)
  expect(proxy.marked()).toBe(1)
  proxy.freeze()
  for (const text of ['one;', 'two;', 'three;']) marked.say(text)
  await pause()
  expect(marked.heard()).toBe(`put ${MARK}/a;`)
  proxy.thaw()
  await until(() => marked.heard() === `put ${MARK}/a;one;two;three;`)
})

it('holds back a new connection from its first word about the resource on, also one that arrives in two pieces', async () => {
  proxy.freeze()
  const late = await client()
  late.say('hello;')
  await until(() => late.heard() === 'hello;')
  late.say(MARK.slice(0, 9))
  await until(() => late.heard() === `hello;${MARK.slice(0, 9)}`)
  late.say(`${MARK.slice(9)}/a;`)
  await pause()
  expect([proxy.marked(), late.heard()]).toEqual([1, `hello;${MARK.slice(0, 9)}`])
  proxy.thaw()
  await until(() => late.heard() === `hello;${MARK}/a;`)
})

it('forgets a connection that is gone', async () => {
  const marked = await client()
  marked.say(MARK)
  await until(() => proxy.marked() === 1)
  for (const socket of opened.splice(0)) socket.destroy()
  await until(() => proxy.marked() === 0)
})
