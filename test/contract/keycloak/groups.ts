// Groups and who is in them, as the admin API answers.

import { describe, expect, it } from 'vitest'
import { idOf, MANY } from './realm.ts'
import type { Suite } from './suite.ts'

const names = (groups: { name: string }[]) => groups.map(({ name }) => name)
const usernames = (users: { username: string }[]) => users.map(({ username }) => username)

/** Searches, pages, rights. */
export function describeGroups({ ask }: Suite): void {
  const read = async (path: string) => {
    const answer = await ask('fencepost', path)
    expect(answer).toMatchObject({ status: 200 })
    return answer.body
  }

  describe('a search for a group', () => {
    it('answers with the top group over it and nothing but the way down', async () => {
      expect(await read('/groups?search=database&exact=true')).toMatchObject([
        {
          id: idOf('/platform'),
          path: '/platform',
          subGroupCount: 2,
          subGroups: [
            {
              name: 'oncall',
              subGroups: [{ id: idOf('/platform/oncall/database'), path: '/platform/oncall/database' }],
            },
          ],
        },
      ])
    })

    it('answers with every group of the name, each below its own top group', async () => {
      const found = await read('/groups?search=admins&exact=true')
      expect(names(found)).toEqual(['north', 'south'])
      expect(
        found.map(({ subGroups }: { subGroups: { path: string }[] }) => subGroups.map(({ path }) => path)),
      ).toEqual([['/north/admins'], ['/south/admins']])
    })

    it.each([
      ['a name in another case', '/groups?search=MANY&exact=true', []],
      ['a part of a name, exactly', '/groups?search=man&exact=true', []],
      ['a part of a name in another case', '/groups?search=MAN', ['many']],
      ['a name with blanks around it', '/groups?search=%20many%20&exact=true', ['many']],
      ['a name of other letters', `/groups?search=${encodeURIComponent('Ünïcode & co')}&exact=true`, ['Ünïcode & co']],
      ['a name that nobody has', '/groups?search=nobody&exact=true', []],
    ])('by %s', async (_by, path, expected) => {
      expect(names(await read(path))).toEqual(expected)
    })
  })

  describe('a group', () => {
    it('is read alone, without those below it', async () => {
      expect(await read(`/groups/${idOf('/platform')}`)).toMatchObject({
        name: 'platform',
        subGroupCount: 2,
        subGroups: [],
      })
    })

    it('gives 10 children unless more are asked for, in pages, by name', async () => {
      const children = `/groups/${idOf('/wide')}/children`
      expect(await read(children)).toHaveLength(10)
      expect(await read(`${children}?first=0&max=100`)).toHaveLength(100)
      const last = await read(`${children}?first=100&max=100`)
      expect([last.length, last[0].name, last.at(-1).path]).toEqual([20, 'team-100', '/wide/team-119'])
    })

    it('gives 100 members unless more are asked for, in pages, by user name', async () => {
      const members = `/groups/${idOf('/many')}/members`
      expect(await read(members)).toHaveLength(100)
      expect(await read(`${members}?max=1000`)).toHaveLength(MANY)
      const last = await read(`${members}?first=250&max=100`)
      expect(usernames(last)).toEqual(Array.from({ length: 10 }, (_, at) => `member-${250 + at}`))
      expect(await read(`${members}?first=${MANY}&max=100`)).toEqual([])
    })

    it('gives its own members alone, with lower-case e-mails, and who is disabled', async () => {
      const members = await read(`/groups/${idOf('/platform')}/members?briefRepresentation=true`)
      expect(usernames(members)).toEqual(['ada', 'cleo', 'no-mail'])
      expect(members[0]).toEqual({
        id: idOf('user ada'),
        username: 'ada',
        email: 'ada@example.com',
        emailVerified: true,
        enabled: true,
      })
      expect(members[2]).not.toHaveProperty('email')
      expect(await read(`/groups/${idOf('/platform/oncall')}/members`)).toMatchObject([
        { username: 'bob', enabled: false },
      ])
    })

    it.each(['', '/children', '/members'])('that does not exist is 404 (…%s)', async path => {
      expect(await ask('fencepost', `/groups/${idOf('nothing')}${path}`)).toMatchObject({
        status: 404,
        body: { error: 'Could not find group by id' },
      })
    })
  })

  describe('a service account', () => {
    const group = `/groups/${idOf('/many')}`

    it.each(['/groups?search=many&exact=true', group, `${group}/members`, `${group}/children`])(
      'without roles is refused %s',
      async path => {
        expect(await ask('no-roles', path)).toMatchObject({ status: 403, body: { error: 'HTTP 403 Forbidden' } })
      },
    )

    it('that may only query is told that no group exists, though they are counted', async () => {
      expect(await ask('query-only', '/groups?search=many&exact=true')).toMatchObject({ status: 200, body: [] })
      expect(await ask('query-only', '/groups?first=0&max=1')).toMatchObject({ status: 200, body: [] })
      expect((await ask('query-only', '/groups/count')).body.count).toBeGreaterThan(100)
      expect(await ask('query-only', `${group}/members`)).toMatchObject({ status: 403 })
    })
  })
}
