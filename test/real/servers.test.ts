// What the real servers are kept and ended by, and the hooks before them: each promise shown on something small.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { cached, cacheFolder } from './servers/cache.ts'
import { keep } from './servers/process/kept.ts'
import { whyNot } from './servers/tools.ts'
import { describeWith } from './world/left-out.ts'
import { ADMINISTRATOR_TOKEN, openRealKubernetes } from './world/servers.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fencepost-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise(resolve => setTimeout(resolve, 20))
}
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('the cache', () => {
  const recipe = (fill: (to: string) => Promise<void>) => ({
    name: 'thing-1',
    doing: 'making a thing',
    sources: [join(folder, 'source')],
    fill,
  })
  const root = () => join(folder, 'cache')
  const make = (to: string) => writeFile(join(to, 'thing'), 'made')

  beforeEach(() => writeFile(join(folder, 'source'), 'one'))

  it('makes a thing once, and anew when what it is made from has changed', async () => {
    const first = await cached(recipe(make), root())
    expect(await readdir(first)).toEqual(['thing'])
    expect(
      await cached(
        recipe(() => Promise.reject(new Error('made twice'))),
        root(),
      ),
    ).toBe(first)
    await writeFile(join(folder, 'source'), 'two')
    expect(await cached(recipe(make), root())).not.toBe(first)
  })

  it('keeps nothing of what failed half-way, and makes it the next time', async () => {
    const half = async (to: string) => {
      await make(to)
      throw new Error('no space left')
    }
    await expect(cached(recipe(half), root())).rejects.toThrow('no space left')
    expect(await readdir(root())).toEqual([])
    expect(await readdir(await cached(recipe(make), root()))).toEqual(['thing'])
  })

  it('is where FENCEPOST_CACHE says, else in the user’s cache directory', () => {
    expect(cacheFolder({ FENCEPOST_CACHE: '/a/b' })).toBe('/a/b')
    expect(cacheFolder({ XDG_CACHE_HOME: '/c' })).toBe('/c/fencepost')
  })
})

describe('a kept command', () => {
  const sleeper = ['-c', 'echo $$ > pid; trap "" TERM; while :; do sleep 0.1; done']
  const pidOf = async () => Number(await readFile(join(folder, 'pid'), 'utf8'))

  it('is ended with its folder, even when it does not listen', { timeout: 20_000 }, async () => {
    const kept = keep({ command: 'sh', args: sleeper, folder })
    await until(() => existsSync(join(folder, 'pid')))
    const pid = await pidOf()
    await kept.stop()
    expect([isAlive(pid), existsSync(folder)]).toEqual([false, false])
  })

  it('does not outlive the process that started it, when that is killed', { timeout: 20_000 }, async () => {
    const module = JSON.stringify(new URL('./servers/process/kept.ts', import.meta.url).href)
    const script = `import(${module}).then(({ keep }) => keep(${JSON.stringify({ command: 'sh', args: sleeper, folder })}))`
    const parent = spawn(process.execPath, ['--import', 'tsx', '-e', script], { stdio: 'ignore' })
    await until(() => existsSync(join(folder, 'pid')))
    const pid = await pidOf()
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    await until(() => !isAlive(pid) && !existsSync(folder))
  })

  it('tells its end and what it said', async () => {
    const kept = keep({ command: 'sh', args: ['-c', 'echo it broke; exit 3'], folder })
    expect([await kept.ended, kept.said()]).toEqual([3, 'it broke\n'])
  })
})

describe('a tool', () => {
  const node = { command: 'node', versionArgs: ['--version'], pattern: /v(\d+)\.(\d+)/ }
  it.each([
    ['that is new enough', { ...node, least: [20, 19] as const }, undefined],
    ['that is too old', { ...node, least: [99, 1] as const }, /^node 99\.1 or newer is needed, this is \d+\.\d+$/],
    ['that is missing', { ...node, command: 'no-such', least: [1, 0] as const }, /^no-such 1\.0 or newer is not on/],
  ])('%s is told', async (_what, tool, expected) => {
    const why = await whyNot(tool)
    if (expected === undefined) expect(why).toBeUndefined()
    else expect(why).toMatch(expected)
  })
})

describeWith(inject('realServers').kubernetes, 'the hooks before a real kube-apiserver', real => {
  const opened: Awaited<ReturnType<typeof openRealKubernetes>>[] = []
  const open = async (clock?: () => number) => {
    const server = await openRealKubernetes(real, clock)
    opened.push(server)
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${real.namespace}/leases`
    const ask = (method: string, path: string, body?: object, token = ADMINISTRATOR_TOKEN) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      return fetch(server.url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
    }
    const lease = (name: string) => ({ metadata: { name } })
    return { server, leases, ask, lease }
  }
  afterEach(async () => {
    for (const server of opened.splice(0)) await server.close()
  })

  it('record every request with its status, and give the functions no more than their manifests', async () => {
    const { server, leases, ask, lease } = await open()
    await ask('GET', `${leases}/nothing?timeout=5s`)
    await ask('POST', leases, lease('forbidden'), 'function')
    expect(server.requests).toEqual([
      { method: 'GET', path: `${leases}/nothing`, query: 'timeout=5s', status: 404, user: ADMINISTRATOR_TOKEN },
      { method: 'POST', path: leases, query: '', status: 403, user: 'function' },
    ])
    server.clearRequests()
    expect(server.requests).toEqual([])
  })

  it('cut before the server is asked, or after it has done the work, or answer in its place', async () => {
    const { server, leases, ask, lease } = await open()
    server.intercept = () => 'reset'
    await expect(ask('POST', leases, lease('cut-before'))).rejects.toThrow('fetch failed')
    server.intercept = () => 'reset-after-commit'
    await expect(ask('POST', leases, lease('cut-after'))).rejects.toThrow('fetch failed')
    server.intercept = () => ({ status: 503, headers: { 'retry-after': '2' }, body: { code: 503 } })
    const canned = await ask('GET', leases)
    expect([canned.status, canned.headers.get('retry-after'), await canned.json()]).toEqual([503, '2', { code: 503 }])
    expect(server.requests.map(({ status }) => status)).toEqual([0, 0, 503])
    server.intercept = undefined
    expect((await ask('GET', `${leases}/cut-before`)).status).toBe(404)
    expect((await ask('DELETE', `${leases}/cut-after`)).status).toBe(200)
  })

  it('leave a request hanging until its client goes away', async () => {
    const { server, leases } = await open()
    server.intercept = () => 'hang'
    await expect(fetch(server.url + leases, { signal: AbortSignal.timeout(200) })).rejects.toThrow(/timeout|aborted/)
  })

  it('replace the time of day by the world’s clock in the Date header', async () => {
    const { leases, ask } = await open(() => Date.parse('2001-02-03T04:05:06Z'))
    expect((await ask('GET', leases)).headers.get('date')).toBe('Sat, 03 Feb 2001 04:05:06 GMT')
  })
})
