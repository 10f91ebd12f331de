// What a client asks about itself. The two servers know it under different names and groups.

import type { Row } from '../row.ts'

const WHO = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const WHAT = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
const who = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
const what = (spec: object) => ({ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec })
const version = { nonResourceAttributes: { path: '/version', verb: 'get' } }

/** Reviews of oneself. */
export const REVIEWS: readonly Row[] = [
  {
    title: 'who one is',
    send: `POST ${WHO}`,
    body: who,
    part: ({ kind, apiVersion, metadata, status: { userInfo } }) => [
      kind,
      apiVersion,
      metadata,
      typeof userInfo.username,
      userInfo.groups.includes('system:authenticated'),
    ],
  },
  { title: 'who one is, asked as another kind', send: `POST ${WHO}`, body: { ...who, kind: 'Lease' } },
  {
    title: 'who one is, asked with a stray comma',
    send: `POST ${WHO}`,
    body: '{"kind":,}',
    part: ({ reason }) => reason,
  },
  { title: 'reviews are not listed', send: `GET ${WHO}` },
  {
    title: 'what one may do',
    send: `POST ${WHAT}`,
    body: what(version),
    part: ({ kind, apiVersion, spec, status }) => [kind, apiVersion, spec, status.allowed],
  },
  { title: 'access reviews are not listed', send: `GET ${WHAT}` },
]
