// Questions that a client asks about itself: who am I (authentication.k8s.io/v1), and what may I do (authorization.k8s.io/v1). They are
// answered and never stored. Nobody is refused anything here, so the second answer is always yes; but it is not for anonymous users
// to ask either question, as upstream's default roles have it.
import { ApiError, methodNotAllowed, notFound } from '../errors.ts'
import { toTime } from '../schema/times.ts'
import { checkRegistered, parseBody } from '../verbs/decode.ts'
import { accept, checkAccept, type Reply, refusal, reply } from './reply.ts'
import type { Address, ApiRequest } from './request.ts'

const ANONYMOUS = 'system:anonymous'
const KINDS: Readonly<Record<string, { group: string; kind: string }>> = {
  selfsubjectreviews: { group: 'authentication.k8s.io', kind: 'SelfSubjectReview' },
  selfsubjectaccessreviews: { group: 'authorization.k8s.io', kind: 'SelfSubjectAccessReview' },
}

/**
 * Answers a self review; undefined for any other request.
 * @throws ApiError – 400 and 415 for a body that can't be read, 403 for nobody
 */
export function reviewSelf(
  { group, version, plural, name }: Address,
  request: ApiRequest,
  nowMs: number,
): Reply | undefined {
  const review = Object.hasOwn(KINDS, plural) ? KINDS[plural] : undefined
  if (review === undefined || review.group !== group || version !== 'v1') return undefined
  const { method, headers, body, user } = request
  checkAccept(headers.accept)
  if (name !== '') return refusal(notFound({ ...review, plural }, name))
  if (method !== 'POST') return refusal(methodNotAllowed())
  const given = parseBody(body, headers['content-type'], review.kind)
  checkRegistered(given, `${group}/v1`, review.kind)
  const { spec } = given
  if (user.username === ANONYMOUS) {
    const why = `${plural}.${group} is forbidden: User "${ANONYMOUS}" cannot create resource "${plural}" in API group "${group}" at the cluster scope`
    throw new ApiError(403, 'Forbidden', why, { group, kind: plural })
  }
  const groups = user.groups.includes(AUTHENTICATED) ? user.groups : [...user.groups, AUTHENTICATED]
  const extra = Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }
  const answer = {
    kind: review.kind,
    apiVersion: `${group}/v1`,
    metadata: { creationTimestamp: review.kind === 'SelfSubjectReview' ? toTime(nowMs) : null },
    ...(spec === undefined ? {} : { spec }),
    status:
      review.kind === 'SelfSubjectReview'
        ? { userInfo: { username: user.username, groups, ...extra } }
        : { allowed: true },
  }
  return reply(201, JSON.stringify(answer), accept(headers.accept))
}

const AUTHENTICATED = 'system:authenticated'
