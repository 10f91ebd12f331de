// The questions that a cluster is probed with, as the embedded API answers them.

import { describe, expect, it } from 'vitest'
import { startKubernetesApi } from '../../../../infra/local/kubernetes/server.ts'
import { ending } from './harness.ts'

const WHO = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const WHAT = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'

async function startAsking() {
  const server = ending(await startKubernetesApi({ tokens: { known: 'ann', '': 'system:anonymous' } }))
  return async (method: string, path: string, { token = 'known', body = {}, headers = {} } = {}) => {
    const answer = await fetch(`${server.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }), ...headers },
      ...(method !== 'GET' && { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: (await answer.json()) as unknown }
  }
}

describe('a self review', () => {
  it('tells a user who it is, and whom it acts as', async () => {
    const ask = await startAsking()
    expect(await ask('POST', WHO)).toEqual({
      status: 201,
      body: {
        kind: 'SelfSubjectReview',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: { creationTimestamp: expect.any(String) },
        status: { userInfo: { username: 'ann', groups: ['system:authenticated'] } },
      },
    })
    const headers = { 'impersonate-user': 'bob', 'impersonate-extra-team': 'ops' }
    expect((await ask('POST', WHO, { headers })).body).toMatchObject({
      status: { userInfo: { username: 'bob', groups: ['system:authenticated'], extra: { team: ['ops'] } } },
    })
  })

  it('tells a user that it may do what it asks about', async () => {
    const ask = await startAsking()
    const spec = { nonResourceAttributes: { path: '/version', verb: 'get' } }
    expect(await ask('POST', WHAT, { body: { spec } })).toMatchObject({
      status: 201,
      body: { kind: 'SelfSubjectAccessReview', spec, status: { allowed: true } },
    })
  })

  it.each([WHO, WHAT])('is not for nobody, nor for strangers: %s', async path => {
    const ask = await startAsking()
    expect(await ask('POST', path, { token: '' })).toMatchObject({ status: 403, body: { reason: 'Forbidden' } })
    expect(await ask('POST', path, { token: 'unknown' })).toMatchObject({ status: 401 })
  })

  it('is asked by POST and stored nowhere', async () => {
    const ask = await startAsking()
    expect(await ask('GET', WHO)).toMatchObject({ status: 405 })
    expect(await ask('GET', `${WHO}/ann`)).toMatchObject({ status: 404 })
  })
})
