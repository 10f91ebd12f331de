// How groups and people are written in answers of the admin API.
import { by, type Client, type Group, pathOf, type User } from './realm.ts'

/** A group as it is answered; `subGroups` is filled in searches alone. */
export interface GroupAnswer {
  readonly id: string
  readonly name: string
  readonly path: string
  readonly parentId?: string
  readonly subGroupCount: number
  readonly subGroups: GroupAnswer[]
  readonly access: Readonly<Record<string, boolean>>
}

/** A group alone. @param isFull with what a brief one leaves out */
export function groupOf(group: Group, { roles }: Client, isFull: boolean): GroupAnswer {
  const isManager = roles.has('manage-users')
  return {
    id: group.id,
    name: group.name,
    path: pathOf(group),
    ...(group.parent && { parentId: group.parent.id }),
    subGroupCount: group.children.length,
    subGroups: [],
    ...(isFull && { attributes: {}, realmRoles: [], clientRoles: {} }),
    access: {
      view: true,
      viewMembers: true,
      manageMembers: isManager,
      manage: isManager,
      manageMembership: isManager,
    },
  }
}

/** The top groups over what was found, by name, each with the way down to it and nothing beside. */
export function hierarchyOf(groups: readonly Group[], client: Client, isFull: boolean): GroupAnswer[] {
  const answers = new Map<Group, GroupAnswer>()
  const answerOf = (group: Group): GroupAnswer => {
    const known = answers.get(group)
    if (known !== undefined) return known
    const answer = groupOf(group, client, isFull)
    answers.set(group, answer)
    if (group.parent !== undefined) answerOf(group.parent).subGroups.push(answer)
    return answer
  }
  for (const group of groups) answerOf(group)
  return [...answers.keys()]
    .filter(({ parent }) => parent === undefined)
    .sort(by(({ name }) => name))
    .map(answerOf)
}

/** A person. @param isBrief without what is about logging in */
export function userOf({ id, username, email, emailVerified, enabled }: User, isBrief: boolean): object {
  const login = { totp: false, disableableCredentialTypes: [], requiredActions: [], notBefore: 0 }
  return { id, username, ...(email !== undefined && { email }), emailVerified, enabled, ...(!isBrief && login) }
}
