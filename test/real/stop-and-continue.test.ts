// An acting process is stopped between its plan and its writes, as a platform freezes a sandbox, and goes on when its term is
// over and a successor has acted. Nothing tells it: its clocks say that no time has passed. What stops it is that each of its
// writes is bound to what it judged, and that its lease is not its own any more. What does not: nothing compares its token,
// so that a write to an object nobody touched is still accepted.

import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { listPages } from '../../lib/kubernetes/pages.ts'
import { BREAKGLASS_SESSIONS } from '../../lib/kubernetes/resources/breakglass-session.ts'
import type { TickOutcome } from '../../lib/tick/outcome.ts'
import { type Child, startChild } from '../support/child.ts'
import { scenarioClock, T0 } from '../support/clock.ts'
import { startSandbox } from '../support/invoke.ts'
import { dueSessions } from '../support/sessions.ts'
import { type LeaseKind, startWorld, type World } from '../support/world.ts'
import { describeWith } from './world/left-out.ts'

const PERIOD = 300_000
const SESSIONS = 4
const ACTOR = 'actor'
const SUCCESSOR = 'successor'

const { kubernetes, dynamodb } = inject('realServers')
const leftOut = [kubernetes, dynamodb].filter(server => typeof server === 'string')
const real = leftOut.length > 0 ? leftOut.join('; ') : kubernetes
const withSessions = typeof real === 'string' || real.sessions === true ? real : real.sessions

describeWith(withSessions, 'on real servers', () =>
  describe.each<LeaseKind>(['kubernetes', 'dynamodb'])(
    'an actor that is stopped and goes on, with the %s lease',
    lease => {
      let world: World
      let child: Child
      let folder: string
      let nowMs = T0

      beforeEach(async () => {
        nowMs = T0
        world = await startWorld(['cleanup'], () => nowMs)
        await world.kubernetes.load(dueSessions(SESSIONS, T0))
        folder = await mkdtemp(join(tmpdir(), 'fencepost-'))
        child = startChild('./actor.ts', await environment(ACTOR))
        await child.next()
      })
      afterEach(async () => {
        await child.kill()
        await world.close()
        await rm(folder, { recursive: true })
      })

      /** The environment of a function whose requests are told from others' by their user; one change at a time. */
      async function environment(user: string): Promise<Record<string, string>> {
        const KUBECONFIG = join(folder, user)
        await writeFile(KUBECONFIG, world.kubernetes.kubeconfig(user))
        return { ...world.environment(lease), KUBECONFIG, WORKERS: '1' }
      }

      async function sessions(): Promise<{ state: string; resourceVersion: string }[]> {
        const { signal } = new AbortController()
        const found = []
        for await (const page of listPages(world.api, BREAKGLASS_SESSIONS, { signal }))
          for (const { status, metadata } of page)
            found.push({ state: (status as { state: string }).state, resourceVersion: metadata.resourceVersion })
        return found
      }

      /** Status changes that a user sent, by what the server answered. */
      function patches(user: string): Record<number, number> {
        const count: Record<number, number> = {}
        for (const request of world.kubernetes.requests)
          if (request.method === 'PATCH' && request.user === user && request.status !== 0)
            count[request.status] = (count[request.status] ?? 0) + 1
        return count
      }

      const events = (user: string) =>
        world.kubernetes.requests.filter(request => request.method === 'POST' && request.user === user).length

      /** Stops the actor as it sends its nth change, which is lost. */
      async function stopAt(nth: number): Promise<void> {
        let seen = 0
        await new Promise<void>(resolve => {
          world.kubernetes.intercept = ({ method, user }) => {
            if (method !== 'PATCH' || user.username !== ACTOR || ++seen !== nth) return undefined
            child.process.kill('SIGSTOP')
            setImmediate(resolve)
            return 'reset'
          }
          child.send({ tickAtMs: T0 })
        })
        world.kubernetes.intercept = undefined
        const state = execFileSync('ps', ['-o', 'stat=', '-p', String(child.process.pid)], { encoding: 'utf8' })
        expect(state).toMatch(/^T/)
      }

      it('after its successor has finished: every write of its plan is refused, and it is fenced at its end', async () => {
        await stopAt(2)
        const stopped = await world.record(lease, 'cleanup')
        expect(stopped).toMatchObject({
          token: 1,
          holder: expect.stringContaining('/actor/'),
          completedTick: undefined,
        })

        nowMs = T0 + PERIOD
        const successor = startSandbox(await environment(SUCCESSOR), scenarioClock(nowMs))
        const second = await successor.tick(nowMs)
        expect(second).toMatchObject({ kind: 'completed', token: 2, tookOverFrom: stopped.holder, settled: true })
        expect(second.counts.changed).toBe(SESSIONS - 1)
        const after = { sessions: await sessions(), record: await world.record(lease, 'cleanup') }
        expect(after.sessions.map(({ state }) => state)).toEqual(Array.from({ length: SESSIONS }, () => 'Expired'))

        child.process.kill('SIGCONT')
        const first = await child.next<TickOutcome>()
        expect(first).toMatchObject({ kind: 'fenced', token: 1, counts: { changed: 1, unchanged: SESSIONS - 1 } })
        expect(patches(ACTOR)).toEqual({ 200: 1, 409: SESSIONS - 1 })
        expect(patches(SUCCESSOR)).toEqual({ 200: SESSIONS - 1 })
        expect([events(ACTOR), events(SUCCESSOR)]).toEqual([1, SESSIONS - 1])
        expect({ sessions: await sessions(), record: await world.record(lease, 'cleanup') }).toEqual(after)
      })

      it('while its successor plans the same: its writes are accepted, the successor’s refused, each session changes once', async () => {
        await stopAt(1)
        nowMs = T0 + PERIOD
        let awakened: Promise<TickOutcome> | undefined
        world.kubernetes.intercept = async ({ method, user }) => {
          if (method !== 'PATCH' || user.username !== SUCCESSOR) return undefined
          if (!awakened) {
            awakened = child.next<TickOutcome>()
            child.process.kill('SIGCONT')
          }
          await awakened
          return undefined
        }
        const second = await startSandbox(await environment(SUCCESSOR), scenarioClock(nowMs)).tick(nowMs)

        expect(await awakened).toMatchObject({ kind: 'fenced', token: 1, counts: { changed: SESSIONS } })
        expect(second).toMatchObject({ kind: 'completed', token: 2, counts: { changed: 0, unchanged: SESSIONS } })
        expect(patches(ACTOR)).toEqual({ 200: SESSIONS })
        expect(patches(SUCCESSOR)).toEqual({ 409: SESSIONS })
        expect([events(ACTOR), events(SUCCESSOR)]).toEqual([SESSIONS, 0])
        expect((await sessions()).map(({ state }) => state)).toEqual(Array.from({ length: SESSIONS }, () => 'Expired'))
        expect(await world.record(lease, 'cleanup')).toMatchObject({ token: 2, holder: '', completedTick: second.tick })
      })
    },
  ),
)
