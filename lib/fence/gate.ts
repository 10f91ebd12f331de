// The way of a term's writes to the API server: as the virtual user that alone may write, with the term's token and holder,
// proven by a canary, inside the term, and counted. A refusal by the fence ends the term; what a lagging server refuses is
// tried again for as long as a server may lag.

import { AbortedError, FenceError, LeaseLostError, OutcomeUnknownError } from '../errors.ts'
import type { ApiAnswer, ApiRequest, KubernetesApi, Repeatability } from '../kubernetes/api.ts'
import type { Grant } from '../lease/lease.ts'
import { type Clock, momentIn, msSince, msUntil } from '../time.ts'
import { openCanary } from './canary.ts'
import { lagging, mayNotImpersonate, overtaken, refusedByOthers, unanswered } from './errors.ts'
import type { FenceMode } from './fence.ts'
import { PARAMETER_LAG_MS, readRefusal, standingOf } from './refusal.ts'

/** The first wait for a server that lags; each further one is twice as long. */
const FIRST_PAUSE_MS = 50

/** A write before it is dressed for the fence. */
export interface BoundWrite extends Omit<ApiRequest, 'repeat' | 'endsAt' | 'headers' | 'signal'> {
  /** Verb, resource and subresource: each kind of write is proven on its own. */
  readonly kind: string
  readonly signal: AbortSignal
}

/** What a gate is opened with. */
export interface GateOptions {
  readonly api: KubernetesApi
  /** The Fence's name, `<installation>-<loop>`. */
  readonly fence: string
  readonly grant: Pick<Grant, 'token' | 'holder' | 'endsAt'>
  readonly mode: FenceMode
  readonly clock: Clock
}

/** The gate of one term. */
export interface Gate {
  /**
   * Sends a write.
   *
   * @param expected refusals (statuses from 400) that are returned instead of thrown.
   * @throws LeaseLostError – the term was overtaken. FenceError – the fence is not shown to be in force. After either, every
   *   later write is refused with it and not sent.
   * @throws AbortedError – the term is over, or the gate is closed; nothing was sent.
   * @throws as `KubernetesApi.request`.
   */
  send(write: BoundWrite, expected: readonly number[]): Promise<ApiAnswer>
  /** Refuses every later write and tells whether all writes so far have a known outcome; one in flight has none. */
  close(): { outcomesKnown: boolean }
}

/** How a write is asked for: under which holder, and what a lost answer means. */
export interface Asking {
  readonly holder: string
  readonly repeat: Repeatability
  readonly expected: readonly number[]
}

/** Opens the gate of one term. */
export function openGate({ api, fence, grant, mode, clock }: GateOptions): Gate {
  const canary = openCanary({ grant, ask })
  let end: Error | undefined
  let unknown = 0

  /** Why nothing more may be sent; undefined while it may. */
  function ended(): Error | undefined {
    if (end) return end
    if (msUntil(grant.endsAt, clock) > 0) return undefined
    return new AbortedError('the term is over; nothing more is written in it')
  }

  /** Asks until a server answers whose Fence is not older than this term; a 403 that is returned is not for its token. */
  async function ask(write: BoundWrite, { holder, repeat, expected }: Asking): Promise<ApiAnswer> {
    const { kind: _kind, ...request } = write
    const headers = impersonation(fence, grant.token, holder)
    const began = momentIn(0, clock)
    let isUnanswered = false
    // What an earlier try did, or will do, is not undone by the refusal of a later one.
    const toThrow = (error: Error) =>
      isUnanswered && repeat === 'bound' && !(error instanceof LeaseLostError) ? unanswered(write, error) : error

    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      const over = write.signal.aborted ? new AbortedError(`${write.method} ${write.path}: stopped`) : ended()
      if (over) throw toThrow(over)
      const asked: ApiRequest = { ...request, headers, repeat, endsAt: grant.endsAt }
      const answer = await api.request(asked, [...expected, 403]).catch(error => {
        throw toThrow(error)
      })
      isUnanswered ||= answer.repeated
      const refusal = answer.status === 403 ? readRefusal(answer.body) : undefined
      if (refusal?.by === 'impersonation') throw toThrow(conclude(mayNotImpersonate(fence, answer)))
      if (refusal?.by !== 'fence') return { ...answer, repeated: isUnanswered }
      const standing = standingOf(refusal, grant)
      if (standing === 'mine') return { ...answer, repeated: isUnanswered }
      if (standing === 'overtaken') throw conclude(overtaken(fence, grant, refusal))
      if (msSince(began, clock) >= PARAMETER_LAG_MS)
        throw toThrow(conclude(lagging(fence, grant, refusal, PARAMETER_LAG_MS)))
      await clock.sleep(pauseMs, write.signal)
    }
  }

  /** Keeps what ended the term; the first one stays. */
  function conclude(error: Error): Error {
    end ??= error
    return error
  }

  return {
    async send(write, expected) {
      if (mode === 'enforced') {
        const changed = await canary.prove(write, expected).catch(error => {
          throw error instanceof FenceError ? conclude(error) : error
        })
        if (changed) return changed
      }
      unknown++
      try {
        const answer = await ask(write, { holder: grant.holder, repeat: 'bound', expected })
        if (answer.status === 403) {
          const error = refusedByOthers(write, answer)
          throw answer.repeated ? unanswered(write, error) : error
        }
        unknown--
        return answer
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError)) unknown--
        throw error
      }
    },
    close() {
      conclude(new AbortedError('the writer of this term is closed; nothing more is written'))
      return { outcomesKnown: unknown === 0 }
    },
  }
}

/** @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
function impersonation(fence: string, token: number, holder: string): Record<string, string> {
  return {
    'impersonate-user': `fencepost:${fence}`,
    'impersonate-extra-fencepost.dev%2ftoken': String(token),
    'impersonate-extra-fencepost.dev%2fholder': holder,
  }
}
