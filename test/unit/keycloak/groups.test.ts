import { afterEach, describe, expect, it } from 'vitest'
import type { KeycloakRequest } from '../../../infra/local/keycloak/reply.ts'
import type { Interception } from '../../../infra/local/keycloak/server.ts'
import { membersOf } from '../../../lib/keycloak/groups.ts'
import { told } from '../../contract/keycloak/lookups.ts'
import { contractRealm, idOf, MANY } from '../../contract/keycloak/realm.ts'
import { openStage, type Stage } from './stage.ts'

let stage: Stage | undefined

afterEach(async () => {
  await stage?.close()
  stage = undefined
})

async function open(realm: object = contractRealm('main')): Promise<Stage> {
  stage = await openStage(realm)
  return stage
}

interface Tree {
  name: string
  id?: string
  subGroups?: Tree[]
}

/** A realm of these groups and people, with the client that looks things up. */
function realmOf(groups: Tree[], users: object[] = []): object {
  const { clients, users: accounts } = contractRealm('main') as { clients: object[]; users: { username: string }[] }
  const own = accounts.filter(({ username }) => username.startsWith('service-account-'))
  return { realm: 'main', groups, clients, users: [...users.map(one => ({ enabled: true, ...one })), ...own] }
}

/** Groups below each other: `top`, `level-1` and so on, the last one with a member. */
function deep(levels: number): object {
  let group: Tree = { name: levels === 0 ? 'top' : `level-${levels}` }
  let path = `/${group.name}`
  for (let level = levels - 1; level >= 0; level--) {
    const name = level === 0 ? 'top' : `level-${level}`
    group = { name, subGroups: [group] }
    path = `/${name}${path}`
  }
  return realmOf([group], [{ username: 'deepest', groups: [path] }])
}

/** Answers one path in place of the server. */
function answering(
  part: string,
  answer: (request: KeycloakRequest) => Interception,
): (request: KeycloakRequest) => Interception {
  return request => (request.path.includes(part) ? answer(request) : undefined)
}

const gone: Interception = { status: 404, body: { error: 'Could not find group by id' } }

describe('the members of a group', () => {
  it(`are read in pages of 100 until a short one: ${MANY} in three`, async () => {
    const { lookUp, asked } = await open()
    expect(told(await lookUp('many'))).toHaveLength(MANY)
    const group = `GET groups/${idOf('/many')}`
    expect(asked()).toEqual([
      'POST token',
      'GET groups?search=many&exact=true',
      `${group}/members?first=0&max=100&briefRepresentation=true`,
      `${group}/members?first=99&max=100&briefRepresentation=true`,
      `${group}/members?first=198&max=100&briefRepresentation=true`,
      `${group}/children?first=0&max=100&briefRepresentation=true`,
    ])
  })

  it.each([0, 1, 99, 100, 101, 199, 200])('are whole when there are %i', async count => {
    const people = Array.from({ length: count }, (_, at) => ({ username: `p${1_000 + at}`, groups: ['/all'] }))
    const { lookUp } = await open(realmOf([{ name: 'all' }], people))
    expect(told(await lookUp('all'))).toEqual(people.map(({ username }) => username))
  })

  it('are e-mails, else user names, without blanks and upper case, each once, in order', async () => {
    const { lookUp, server } = await open(realmOf([{ name: 'all' }]))
    const person = (id: string, username: string, more = {}) => ({ id, username, enabled: true, ...more })
    server.intercept = answering('/members', () => ({
      status: 200,
      body: [
        person('1', 'zoe', { email: ' Zoe@Example.COM ' }),
        person('2', 'Yan', { email: '  ' }),
        person('3', 'xia', { email: null }),
        person('4', 'zoe-2', { email: 'zoe@example.com' }),
      ],
    }))
    expect(told(await lookUp('all'))).toEqual(['xia', 'yan', 'zoe@example.com'])
  })

  it('are enabled when any account of theirs is, in whatever order', async () => {
    const { lookUp, server } = await open(realmOf([{ name: 'all' }]))
    const person = (id: string, email: string, enabled: boolean) => ({ id, username: id, email, enabled })
    server.intercept = answering('/members', () => ({
      status: 200,
      body: [
        person('1', 'a', true),
        person('2', 'a', false),
        person('3', 'b', false),
        person('4', 'b', true),
        person('5', 'c', false),
      ],
    }))
    expect(told(await lookUp('all'))).toEqual(['a', 'b', 'c*'])
  })

  it('are not read as fewer when one leaves between two pages: the lookup fails', async () => {
    const { lookUp, server } = await open()
    server.intercept = answering('/members', ({ query }) => {
      if (query.get('first') === '99') server.load(withoutMember('member-050'))
      return undefined
    })
    await expect(lookUp('many')).rejects.toMatchObject({ name: 'TransientError', code: 'Conflict' })
  })

  it('do not go on for ever at a server that always gives the first page', async () => {
    const { lookUp, server } = await open()
    server.intercept = answering('/members', ({ query }) => {
      query.set('first', '0')
      return undefined
    })
    await expect(lookUp('many')).rejects.toMatchObject({ code: 'Conflict' })
  })

  it('may come all at once', async () => {
    const { lookUp, server } = await open()
    server.intercept = answering('/members', ({ query }) => {
      query.set('max', '-1')
      return undefined
    })
    expect(told(await lookUp('many'))).toHaveLength(MANY)
  })
})

function withoutMember(name: string): object {
  const realm = contractRealm('main') as { users: { username: string }[] }
  return { ...realm, users: realm.users.filter(({ username }) => username !== name) }
}

describe('the groups below a group', () => {
  it.each([3, 10])('are read %i levels deep', async levels => {
    const { lookUp } = await open(deep(levels))
    expect(told(await lookUp('top'))).toEqual(['deepest'])
  })

  it('are refused at the eleventh level, and nothing is cut', async () => {
    const { lookUp } = await open(deep(11))
    await expect(lookUp('top')).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'InvalidResource',
      message: expect.stringMatching(
        /^IdentityProvider corporate: \/top has groups more than 10 levels below it, e\.g\. /,
      ),
    })
  })

  it('are read once each when they lead back', async () => {
    const { lookUp, server, asked } = await open()
    const top = { id: idOf('/platform'), name: 'platform', path: '/platform' }
    server.intercept = answering(`${idOf('/platform/oncall/database')}/children`, () => ({ status: 200, body: [top] }))
    expect(told(await lookUp('platform'))).toHaveLength(5)
    expect(asked().filter(one => one.includes(`${idOf('/platform')}/members`))).toHaveLength(1)
  })

  it('are left out when they are gone meanwhile', async () => {
    const { lookUp, server } = await open()
    server.intercept = answering(`${idOf('/platform/oncall')}/members`, () => gone)
    expect(told(await lookUp('platform'))).toEqual([
      'ada@example.com',
      'cleo@example.com',
      'dora@example.com',
      'no-mail',
    ])
  })

  it.each<[string, Interception, string]>([
    ['may not be read', { status: 403 }, 'Forbidden'],
    ['fail', { status: 500 }, 'Unavailable'],
    [
      'are answered by a proxy',
      { status: 404, headers: { 'content-type': 'text/html' }, body: 'gone' },
      'InvalidConfiguration',
    ],
  ])('fail the whole lookup when they %s', async (_what, answer, code) => {
    const { lookUp, server } = await open()
    server.intercept = answering(`${idOf('/platform/oncall/database')}/members`, () => answer)
    await expect(lookUp('platform')).rejects.toMatchObject({ code })
  })
})

describe('a group', () => {
  it('that is renamed is missing under its old name and found under its new one', async () => {
    const { lookUp, server } = await open()
    const renamed = contractRealm('main') as { groups: { name: string }[] }
    expect(told(await lookUp('before-renaming'))).toEqual(['ada@example.com'])
    const text = JSON.stringify(renamed).replaceAll('before-renaming', 'after-renaming')
    server.load(JSON.parse(text) as object)
    expect(told(await lookUp('before-renaming'))).toBe('missing')
    expect(told(await lookUp('after-renaming'))).toEqual(['ada@example.com'])
  })

  it('is compared without case when the server finds it so', async () => {
    const { lookUp, server } = await open()
    server.intercept = answering('/groups', ({ path, query }) => {
      if (path.endsWith('/groups')) query.set('search', query.get('search')?.toLowerCase() ?? '')
      return undefined
    })
    expect(told(await lookUp('Before-Renaming'))).toEqual(['ada@example.com'])
  })

  it('of which only the top of the way is found is missing', async () => {
    const { lookUp } = await open(realmOf([{ name: 'a', subGroups: [{ name: 'b' }] }]))
    expect(told(await lookUp('/b'))).toBe('missing')
    expect(told(await lookUp('/a/b'))).toEqual([])
    expect(told(await lookUp('/A/b'))).toBe('missing')
  })

  it('that has the name of its parent is ambiguous, and told apart by its path', async () => {
    const tree = [{ name: 'ops', subGroups: [{ name: 'ops' }] }]
    const { lookUp } = await open(
      realmOf(tree, [
        { username: 'ina', groups: ['/ops/ops'] },
        { username: 'jo', groups: ['/ops'] },
      ]),
    )
    await expect(lookUp('ops')).rejects.toMatchObject({ code: 'InvalidResource' })
    expect(told(await lookUp('/ops/ops'))).toEqual(['ina'])
    expect(told(await lookUp('/ops'))).toEqual(['ina', 'jo'])
  })

  it('of a name that eight have is refused with five of their paths', async () => {
    const tops = Array.from({ length: 8 }, (_, at) => ({ name: `team-${at}`, subGroups: [{ name: 'admins' }] }))
    const { lookUp } = await open(realmOf(tops))
    const paths = [0, 1, 2, 3, 4].map(at => `/team-${at}/admins`).join(', ')
    await expect(lookUp('admins')).rejects.toThrow(`8 groups are named admins: ${paths}, …; name the one that is meant`)
  })

  it('is missing when it vanishes between search and members', async () => {
    const { lookUp, server } = await open()
    server.intercept = answering('/members', () => gone)
    expect(told(await lookUp('platform'))).toBe('missing')
  })

  it('is missing when it vanishes between members and children', async () => {
    const { lookUp, server } = await open()
    server.intercept = answering('/children', () => gone)
    expect(told(await lookUp('platform'))).toBe('missing')
  })

  it.each(['', '  ', '/', '/platform/'])('without a name is refused: %j', async group => {
    const { lookUp, keycloak } = await open()
    await expect(lookUp(group)).rejects.toMatchObject({ code: 'InvalidResource' })
    expect(keycloak.calls()).toBe(0)
  })
})

describe('a group that is not found', () => {
  it('is missing where others are shown', async () => {
    const { lookUp, asked } = await open()
    expect(told(await lookUp('nobody'))).toBe('missing')
    expect(asked().slice(1)).toEqual(['GET groups?search=nobody&exact=true', 'GET groups?first=0&max=1'])
  })

  it('is missing in a realm without any', async () => {
    const { lookUp } = await open(realmOf([]))
    expect(told(await lookUp('nobody'))).toBe('missing')
  })

  it('is no verdict where none is shown: the right to view them is missing', async () => {
    const { open: openWith } = await open()
    const blind = openWith({ clientId: 'query-only' })
    await expect(membersOf(blind, 'many', new AbortController().signal)).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringContaining("none of the realm's 135 groups is shown"),
    })
  })

  it('is no verdict where the list itself does not exist', async () => {
    const { lookUp, server } = await open()
    const missing: Interception = { status: 404, body: { error: 'Realm not found.' } }
    server.intercept = ({ path }) => (path.endsWith('/groups') ? missing : undefined)
    await expect(lookUp('many')).rejects.toMatchObject({ code: 'InvalidConfiguration' })
  })
})
