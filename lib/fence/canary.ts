// The proof that the fence is in force, before the first write of each kind in a term: that very write, as a dry run under a
// holder that nobody has. It must be refused by the policy's own message, with this term's token and holder in it. Then
// the policy exists, is bound, covers this kind of write, and that server's Fence is this term's; that the right holder is
// let through is shown by the write that follows.
//
// Not promised: anything about a server that did not answer. Behind a load balancer the canary is a sample.

import { TransientError } from '../errors.ts'
import type { ApiAnswer } from '../kubernetes/api.ts'
import type { Grant } from '../lease/lease.ts'
import { notInForce, refusedByOthers } from './errors.ts'
import type { Asking, BoundWrite } from './gate.ts'
import { readRefusal } from './refusal.ts'

/** What a canary is opened with; `ask` sends as the gate does. */
export interface CanaryOptions {
  readonly grant: Pick<Grant, 'holder'>
  ask(write: BoundWrite, asking: Asking): Promise<ApiAnswer>
}

/** The canary of one term. */
export interface Canary {
  /**
   * Proves a kind of write, once.
   *
   * @returns undefined when it is proven; or what the server answered instead of judging, since the object is not as the
   *   write expects it: it would not take effect either.
   * @throws FenceError – FenceNotInForce, and as the gate.
   * @throws as `KubernetesApi.request`.
   */
  prove(write: BoundWrite, expected: readonly number[]): Promise<ApiAnswer | undefined>
}

/** Opens the canary of one term; nothing is proven yet. */
export function openCanary({ grant, ask }: CanaryOptions): Canary {
  const proven = new Set<string>()
  const running = new Map<string, Promise<unknown>>()

  async function prove(write: BoundWrite, expected: readonly number[]): Promise<ApiAnswer | undefined> {
    const answer = await ask(asDryRun(write), { holder: `${grant.holder}/canary`, repeat: 'read', expected })
    if (answer.status < 300) throw notInForce(write.kind)
    // An unanswered dry run has done nothing that a later answer could be the echo of.
    if (answer.status !== 403) return { ...answer, repeated: false }
    if (readRefusal(answer.body).by !== 'fence') throw refusedByOthers(write, answer)
    proven.add(write.kind)
    return undefined
  }

  return {
    async prove(write, expected) {
      // One canary of a kind at a time; whoever waited for it looks what it proved.
      for (let other = running.get(write.kind); other && !proven.has(write.kind); other = running.get(write.kind))
        await other.catch(error => {
          // A server that does not answer one canary is not asked by each object in turn; a refusal may be about that object alone.
          if (error instanceof TransientError) throw error
        })
      if (proven.has(write.kind)) return undefined
      const own = prove(write, expected).finally(() => running.delete(write.kind))
      running.set(write.kind, own)
      return await own
    },
  }
}

/** The same write, judged and not stored; beside a body of a delete the query counts for nothing. */
function asDryRun(write: BoundWrite): BoundWrite {
  const body = write.method === 'DELETE' ? { ...(write.body as object), dryRun: ['All'] } : write.body
  return { ...write, body, query: { ...write.query, dryRun: 'All' } }
}
