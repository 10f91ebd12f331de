// One run: the realm of the contract on both servers, all rows on both, and what differs in status, headers and body.

import { randomBytes } from 'node:crypto'
import { startKeycloak } from '../../../../infra/local/keycloak/server.ts'
import { contractRealm, SECRET } from '../../../contract/keycloak/realm.ts'
import type { RealKeycloak } from '../../world/provided.ts'
import { importRealm } from '../realms.ts'
import { ROWS, type Row } from './rows.ts'

/** A row with what differed: paths in the answer, the embedded value first. */
export interface Compared {
  readonly row: Row
  readonly found: ReadonlyMap<string, readonly [unknown, unknown]>
}

/** Sends all rows to both servers. */
export async function compareKeycloaks(real: RealKeycloak): Promise<Compared[]> {
  const realm = `fidelity-${randomBytes(4).toString('hex')}`
  const { remove } = await importRealm(real, contractRealm(realm))
  const embedded = await startKeycloak({ realms: [contractRealm(realm)] })
  try {
    const senders = [embedded.url, real.url].map(url => openSender(url, realm))
    const compared: Compared[] = []
    for (const row of ROWS) {
      const [one, other] = await Promise.all(senders.map(send => send(row)))
      compared.push({ row, found: new Map(differences('', one, other)) })
    }
    return compared
  } finally {
    await embedded.close()
    await remove()
  }
}

/** Waits until a token of one second has ended, and gives what is answered to it then. */
export async function answersToEnded(url: string, realm: string): Promise<unknown> {
  const send = openSender(url, realm)
  const ask = () => send({ title: 'an ended token', send: 'GET {admin}/groups', as: 'short-lived' })
  for (;;) {
    const answer = await ask()
    if (answer.status !== 200) return answer
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | null>>
  readonly body: unknown
}

function openSender(url: string, realm: string): (row: Row) => Promise<Answer> {
  const oidc = `/realms/${realm}/protocol/openid-connect`
  const tokens = new Map<string, Promise<string>>()

  async function fetchToken(client_id: string): Promise<string> {
    const form = { grant_type: 'client_credentials', client_id, client_secret: SECRET }
    const answer = await fetch(`${url}${oidc}/token`, { method: 'POST', body: new URLSearchParams(form) })
    return ((await answer.json()) as { access_token: string }).access_token
  }
  async function authorization({ as = 'fencepost' }: Row): Promise<Record<string, string>> {
    if (as === null) return {}
    if (as.includes(' ')) return { authorization: as }
    const token = tokens.get(as) ?? fetchToken(as)
    tokens.set(as, token)
    return { authorization: `Bearer ${await token}` }
  }
  return async row => {
    const [method = '', path = ''] = row.send.split(/ (.*)/s)
    const filled = path.replace('{admin}', `/admin/realms/${realm}`).replace('{oidc}', oidc).replace('{realm}', realm)
    const json = row.body === undefined ? {} : { 'content-type': 'application/json' }
    const body = row.form ? new URLSearchParams(row.form) : row.body === undefined ? null : JSON.stringify(row.body)
    const answer = await fetch(url + filled, { method, headers: { ...json, ...(await authorization(row)) }, body })
    const said = (await answer.text())
      .replaceAll(url, '<url>')
      .replaceAll(/[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}/g, '<token>')
      // In either order from realm to realm.
      .replace('"email profile"', '"profile email"')
    const names = ['content-type', 'cache-control', 'www-authenticate', 'retry-after', 'location']
    const headers = Object.fromEntries(names.map(name => [name, answer.headers.get(name)]))
    return { status: answer.status, headers, body: said === '' ? undefined : (row.part ?? same)(JSON.parse(said)) }
  }
}

const same = (body: unknown) => body

function differences(path: string, one: unknown, other: unknown): [string, [unknown, unknown]][] {
  const isTree = typeof one === 'object' && typeof other === 'object' && one !== null && other !== null
  if (!isTree) return JSON.stringify(one) === JSON.stringify(other) ? [] : [[path, [one, other]]]
  const keys = new Set([...Object.keys(one), ...Object.keys(other)])
  const at = (tree: object, key: string) => (tree as Record<string, unknown>)[key]
  return [...keys].flatMap(key => differences(path === '' ? key : `${path}.${key}`, at(one, key), at(other, key)))
}
