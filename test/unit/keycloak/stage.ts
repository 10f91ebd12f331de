// The embedded Keycloak and a client of it, on one clock: waits between tries pass at once, and a try's time is up when a test
// says so.

import { type EmbeddedKeycloak, type Interception, startKeycloak } from '../../../infra/local/keycloak/server.ts'
import { openExchange } from '../../../lib/http/exchange.ts'
import { type Keycloak, type KeycloakOptions, openKeycloak } from '../../../lib/keycloak/client.ts'
import { type GroupLookup, membersOf } from '../../../lib/keycloak/groups.ts'
import type { Clock } from '../../../lib/time.ts'
import { contractRealm, SECRET } from '../../contract/keycloak/realm.ts'
import { T0 } from '../../support/clock.ts'

/** How long a try may take on the stage, ms; a shorter sleep is a wait between tries. */
export const TRY_MS = 60_000

/** The clock of the stage. */
export interface StageClock extends Clock {
  /** Waits between tries, ms, as they came. */
  readonly waits: number[]
  advance(ms: number): void
  /** Ends the time of every try that is under way. */
  endTries(): void
}

/** A server, a client of its realm `main`, and their clock. */
export interface Stage {
  readonly server: EmbeddedKeycloak
  readonly keycloak: Keycloak
  readonly clock: StageClock
  lookUp(group: string, signal?: AbortSignal): Promise<GroupLookup>
  /** Another client, with other options. */
  open(options: Partial<KeycloakOptions>): Keycloak
  /** What was asked for, as `GET groups?…`, without what is the same in all of them. */
  asked(): string[]
  close(): Promise<void>
}

/** Opens a stage. */
export async function openStage(realm: object = contractRealm('main')): Promise<Stage> {
  const clock = stageClock()
  const server = await startKeycloak({ clock: clock.wallMs, realms: [realm] })
  const opened: Keycloak[] = []
  const open = (options: Partial<KeycloakOptions>) => {
    const { baseUrl = new URL(server.url) } = options
    const keycloak = openKeycloak({
      provider: 'corporate',
      realm: 'main',
      clientId: 'fencepost',
      clientSecret: SECRET,
      requestTimeoutMs: TRY_MS,
      deadlineMs: 10 * TRY_MS,
      exchange: openExchange({ server: baseUrl, tls: {} }, clock),
      clock,
      ...options,
      baseUrl,
    })
    opened.push(keycloak)
    return keycloak
  }
  const keycloak = open({})
  return {
    server,
    keycloak,
    clock,
    lookUp: (group, signal = new AbortController().signal) => membersOf(keycloak, group, signal),
    open,
    asked: () =>
      server.requests.map(({ method, path, query }) => {
        const short = path.replace(/^\/admin\/realms\/main\//, '').replace(/^\/realms\/main\/.*\//, '')
        return `${method} ${short}${query === '' ? '' : `?${query}`}`
      }),
    async close() {
      for (const one of opened) one.close()
      await server.close()
    },
  }
}

/** Answers in turn in place of the server where `isMeant`, then leaves it to the server. */
export function interceptions(...answers: Interception[]): (request: { path: string }) => Interception {
  return ({ path }) => (path.startsWith('/admin') ? answers.shift() : undefined)
}

function stageClock(): StageClock {
  const waits: number[] = []
  const tries = new Set<() => void>()
  let elapsedMs = 0
  return {
    waits,
    wallMs: () => T0 + elapsedMs,
    monotonicMs: () => elapsedMs,
    advance: ms => {
      elapsedMs += ms
    },
    endTries: () => {
      for (const end of [...tries]) end()
    },
    sleep: async (ms, signal) => {
      if (ms < TRY_MS / 2) {
        waits.push(ms)
        elapsedMs += ms
        return
      }
      await new Promise<void>(resolve => {
        const done = () => {
          tries.delete(end)
          resolve()
        }
        const end = () => {
          elapsedMs += ms
          done()
        }
        tries.add(end)
        signal?.addEventListener('abort', done, { once: true })
      })
    },
  }
}
