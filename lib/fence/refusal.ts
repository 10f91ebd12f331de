// What an API server's 403 says about a write that came through the fence. The texts are those of infra/kubernetes/fence;
// a test holds the two together.

import type { Grant } from '../lease/lease.ts'
import { SECOND_MS } from '../time.ts'

/** W: the longest that an API server is expected to judge by an older copy of the Fence. */
export const PARAMETER_LAG_MS = 3 * SECOND_MS

/** Who refused. `fence`: the policy that compares tokens; `current` and `holder` are those of its Fence, if it was ever raised. */
export type Refusal =
  | { readonly by: 'fence'; readonly current: number | undefined; readonly holder: string | undefined }
  | { readonly by: 'impersonation' | 'other' }

/**
 * Where the API server stands that refused.
 *
 * `mine`       its Fence carries this term's token and holder
 * `overtaken`  a higher token, or this token under another holder: the term is over for good
 * `lagging`    a lower token, or none: its copy of the Fence is older than this term's raise, and will catch up
 */
export type Standing = 'mine' | 'overtaken' | 'lagging'

const FENCE_TOKEN = /fencepost fence-token: token=\S* current=(?:(\d{1,10})|none) holder=(\S+)/

/** Reads the body of a 403. */
export function readRefusal(body: unknown): Refusal {
  const { message } = (body ?? {}) as { message?: unknown }
  const text = typeof message === 'string' ? message : ''
  const fence = FENCE_TOKEN.exec(text)
  if (fence) {
    const [, current, holder] = fence
    return current === undefined
      ? { by: 'fence', current: undefined, holder: undefined }
      : { by: 'fence', current: Number(current), holder }
  }
  return { by: text.includes('cannot impersonate resource') ? 'impersonation' : 'other' }
}

/** Compares the fence that refused with a term. */
export function standingOf(
  refusal: { current: number | undefined; holder: string | undefined },
  term: Pick<Grant, 'token' | 'holder'>,
): Standing {
  if (refusal.current === undefined || refusal.current < term.token) return 'lagging'
  return refusal.current === term.token && refusal.holder === term.holder ? 'mine' : 'overtaken'
}
