import { X509Certificate } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { get, type RequestOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { makeCertificate } from '../../../../infra/local/world/tls/certificate.ts'
import { startTlsFront, type TlsFront } from '../../../../infra/local/world/tls/front.ts'

const T0 = Date.parse('2026-11-21T07:05:00Z')

describe('a certificate', () => {
  const made = new X509Certificate(makeCertificate(T0).certificate)

  it('is for this machine, signed by itself, and an authority', () => {
    expect(made.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(made.checkHost('localhost')).toBe('localhost')
    expect(made.checkIP('127.0.0.2')).toBeUndefined()
    expect(made.verify(made.publicKey)).toBe(true)
    expect(made.checkIssued(made)).toBe(true)
    expect(made.ca).toBe(true)
  })

  it('is valid from a day before to 30 days after', () => {
    expect([made.validFrom, made.validTo].map(Date.parse)).toEqual([
      Date.parse('2026-11-20T07:05:00Z'),
      Date.parse('2026-12-21T07:05:00Z'),
    ])
  })

  it('is another one each time', () => {
    const other = new X509Certificate(makeCertificate(T0).certificate)
    expect(other.serialNumber).not.toBe(made.serialNumber)
    expect(other.verify(made.publicKey)).toBe(false)
  })
})

describe('a front', () => {
  let behind: Server | undefined
  let front: TlsFront | undefined
  afterEach(async () => {
    await front?.close()
    behind?.closeAllConnections()
    await new Promise(resolve => behind?.close(resolve))
  })

  /** Starts a server that answers with the path, and a front before it. */
  async function start() {
    const made = makeCertificate(Date.now())
    behind = createServer(({ url }, response) => void response.end(`asked for ${url}`))
    await new Promise<void>(resolve => behind?.listen(0, '127.0.0.1', resolve))
    front = await startTlsFront((behind.address() as AddressInfo).port, made)
    return { url: front.url, ca: made.certificate }
  }

  function ask(url: string, options: RequestOptions): Promise<string> {
    return new Promise((resolve, reject) => {
      get(url, { ...options, agent: false }, answer => resolve(text(answer))).once('error', reject)
    })
  }

  it('hands on what comes to whoever trusts its certificate, and nobody else', async () => {
    const { url, ca } = await start()
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    expect(await ask(`${url}/a`, { ca })).toBe('asked for /a')
    await expect(ask(url, {})).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
    const other = makeCertificate(Date.now()).certificate
    await expect(ask(url, { ca: other })).rejects.toThrow(/certificate/)
  })

  it('hangs up when nobody listens behind it', async () => {
    const { url, ca } = await start()
    behind?.closeAllConnections()
    await new Promise(resolve => behind?.close(resolve))
    await expect(ask(url, { ca })).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})
