// A certificate of this machine's own, made anew at every start, so that no key of it lies anywhere: EC P-256, for 127.0.0.1
// and localhost, signed by itself, so that it is its own authority. Only as much DER as that takes.
// @see https://www.rfc-editor.org/rfc/rfc5280

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly certificate: string
  readonly key: string
}

const DAY_MS = 24 * 60 * 60_000
/** How long before it is made it is valid, and how long after, ms: a clock that is set meanwhile must not end it. */
const VALID_BEFORE_MS = DAY_MS
const VALID_AFTER_MS = 30 * DAY_MS

/** Tags of DER. */
const TAG = { boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, text: 0x0c, time: 0x18 } as const
const SEQUENCE = 0x30
const SET = 0x31
/** Tags that a certificate's own fields have: its version, its extensions, a name and an address in a list of names. */
const FIELD = { version: 0xa0, extensions: 0xa3, dnsName: 0x82, ipAddress: 0x87 } as const

const ECDSA_WITH_SHA256 = der(SEQUENCE, oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
const COMMON_NAME = oid(0x55, 0x04, 0x03)
const BASIC_CONSTRAINTS = oid(0x55, 0x1d, 0x13)
const ALTERNATIVE_NAMES = oid(0x55, 0x1d, 0x11)
const LOOPBACK = Buffer.from([127, 0, 0, 1])

/** Makes one, valid from a day before an instant, epoch ms, to 30 days after it. */
export function makeCertificate(nowMs: number): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(TAG.text, 'fencepost local'))))
  const isAuthority = der(SEQUENCE, der(TAG.boolean, Buffer.from([0xff])))
  const names = der(SEQUENCE, der(FIELD.dnsName, 'localhost'), der(FIELD.ipAddress, LOOPBACK))
  const toSign = der(
    SEQUENCE,
    der(FIELD.version, der(TAG.integer, Buffer.from([2]))),
    // The first byte keeps the number positive and from beginning with zeros.
    der(TAG.integer, Buffer.concat([Buffer.from([0x4f]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    name,
    der(SEQUENCE, time(nowMs - VALID_BEFORE_MS), time(nowMs + VALID_AFTER_MS)),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    der(
      FIELD.extensions,
      der(SEQUENCE, extension(BASIC_CONSTRAINTS, isAuthority), extension(ALTERNATIVE_NAMES, names)),
    ),
  )
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', toSign, privateKey)])
  return {
    certificate: pem(der(SEQUENCE, toSign, ECDSA_WITH_SHA256, der(TAG.bits, signature))),
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  }
}

function extension(id: Buffer, value: Buffer): Buffer {
  return der(SEQUENCE, id, der(TAG.octets, value))
}

function oid(...bytes: number[]): Buffer {
  return der(TAG.oid, Buffer.from(bytes))
}

/** `20261121070500Z` */
function time(atMs: number): Buffer {
  return der(TAG.time, `${new Date(atMs).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`)
}

/** One value: its tag, its length, and its parts one after the other. */
function der(tag: number, ...parts: (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map(part => Buffer.from(part)))
  return Buffer.concat([Buffer.from([tag]), lengthOf(content), content])
}

/** Up to 127 in one byte; else how many bytes follow, and those. */
function lengthOf({ length }: Buffer): Buffer {
  if (length < 0x80) return Buffer.from([length])
  return length < 0x100 ? Buffer.from([0x81, length]) : Buffer.from([0x82, length >> 8, length & 0xff])
}

function pem(content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
