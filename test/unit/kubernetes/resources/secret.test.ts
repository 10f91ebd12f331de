import { describe, expect, it } from 'vitest'
import type { ApiAnswer, KubernetesApi } from '../../../../lib/kubernetes/api.ts'
import { readSecretKey } from '../../../../lib/kubernetes/resources/secret.ts'

const signal = new AbortController().signal
const ref = { name: 'sync', namespace: 'system' }
const base64 = (text: string) => Buffer.from(text).toString('base64')

/** An API server with one answer, which says what it was asked for. */
function answering(status: number, body: unknown) {
  const asked: string[] = []
  const api: KubernetesApi = {
    request: async ({ path }): Promise<ApiAnswer> => {
      asked.push(path)
      return { status, body, repeated: false }
    },
    clockSkewMs: () => undefined,
    close: () => {},
  }
  return { api, asked }
}

describe('a key of a Secret', () => {
  it('is read by the name that the reference gives, else by the default', async () => {
    const { api, asked } = answering(200, { data: { value: base64('one'), other: base64('two') } })
    expect(await readSecretKey(api, ref, signal)).toEqual({ kind: 'value', value: 'one' })
    expect(await readSecretKey(api, { ...ref, key: 'other' }, signal)).toEqual({ kind: 'value', value: 'two' })
    expect(await readSecretKey(api, ref, signal, 'other')).toEqual({ kind: 'value', value: 'two' })
    expect(new Set(asked)).toEqual(new Set(['/api/v1/namespaces/system/secrets/sync']))
  })

  it.each<[string, number, unknown, string]>([
    ['does not exist with its Secret', 404, {}, 'missing'],
    ['may not be read', 403, {}, 'forbidden'],
    ['is not in the Secret', 200, { data: { other: base64('two') } }, 'key-missing'],
    ['is empty', 200, { data: { value: '' } }, 'key-missing'],
    ['is in a Secret without data', 200, { data: null }, 'key-missing'],
  ])('%s', async (_, status, body, kind) => {
    expect(await readSecretKey(answering(status, body).api, ref, signal)).toEqual({ kind })
  })
})
