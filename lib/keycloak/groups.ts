// Who is in a group: its own members and those of all groups below it. A lookup is whole or it fails: a page, a child or a
// level that can't be read is never left out, because a member who is missing here may not approve any more.

import * as z from 'zod'
import { PermanentError, TransientError } from '../errors.ts'
import type { Keycloak } from './client.ts'
import { blind, unreadable } from './errors.ts'
import { countSchema, type Group, groupSchema, type User, userSchema } from './resources.ts'

/** Members or children of one page; Keycloak gives no more than 100 members unless it is asked to. */
const PAGE = 100
/** How far below the group that was asked for its members may be; deeper ones are an error. */
const DEEPEST_LEVEL = 10
/** How many paths an ambiguity names. */
const TOLD_PATHS = 5

/** Somebody who is in a group. */
export interface Member {
  /** E-mail, else username; trimmed, lower-cased. */
  readonly identifier: string
  readonly isEnabled: boolean
}

/** What a lookup gave: each identifier once, sorted; enabled if any account with it is. */
export type GroupLookup = { kind: 'found'; members: readonly Member[] } | { kind: 'missing' }

/**
 * Looks up a group and everybody in it and below it.
 *
 * A name that begins with a slash is a path from the top, compared whole; any other is compared by letters, not by case,
 * wherever the group is.
 *
 * @throws PermanentError – InvalidResource: no name, several groups of that name, or more than 10 levels below it.
 * TransientError – Conflict: the list changed while it was read. Either – as `Keycloak.read`.
 */
export async function membersOf(keycloak: Keycloak, group: string, signal: AbortSignal): Promise<GroupLookup> {
  const found = await findGroup(keycloak, group, signal)
  if (found === undefined) return { kind: 'missing' }
  const users: User[] = []
  const seen = new Set([found.id])
  let level: Group[] = [found]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST_LEVEL)
      throw new PermanentError(
        'InvalidResource',
        `IdentityProvider ${keycloak.provider}: ${found.path} has groups more than ${DEEPEST_LEVEL} levels below it, e.g. ${level[0]?.path}; flatten them`,
      )
    const next: Group[] = []
    for (const one of level) {
      const path = `/groups/${encodeURIComponent(one.id)}`
      const members = await readPages(keycloak, `${path}/members`, userSchema, signal)
      const children = members && (await readPages(keycloak, `${path}/children`, groupSchema, signal))
      if (members === undefined || children === undefined) {
        if (one === found) return { kind: 'missing' }
        continue
      }
      users.push(...members)
      next.push(...children.filter(({ id }) => !seen.has(id) && seen.add(id)))
    }
    level = next
  }
  return { kind: 'found', members: toMembers(users) }
}

async function findGroup(keycloak: Keycloak, group: string, signal: AbortSignal): Promise<Group | undefined> {
  const wanted = group.trim()
  const isPath = wanted.startsWith('/')
  const search = isPath ? wanted.slice(wanted.lastIndexOf('/') + 1) : wanted
  if (search === '')
    throw new PermanentError(
      'InvalidResource',
      `IdentityProvider ${keycloak.provider}: ${JSON.stringify(group)} names no group`,
    )
  const tops = await listGroups(keycloak, { search, exact: 'true' }, signal)
  if (tops.length === 0) await confirmSight(keycloak, signal)
  const isWanted = isPath
    ? ({ path }: Group) => path === wanted
    : ({ name }: Group) => name.toLowerCase() === wanted.toLowerCase()
  const found = new Map(
    tops
      .flatMap(withSubGroups)
      .filter(isWanted)
      .map(one => [one.id, one]),
  )
  if (found.size <= 1) return found.values().next().value
  const paths = [...found.values()].map(({ path }) => path).sort()
  const told = `${paths.slice(0, TOLD_PATHS).join(', ')}${paths.length > TOLD_PATHS ? ', …' : ''}`
  throw new PermanentError(
    'InvalidResource',
    `IdentityProvider ${keycloak.provider}: ${found.size} groups are named ${wanted}: ${told}; name the one that is meant by its path`,
  )
}

async function listGroups(keycloak: Keycloak, query: Record<string, string>, signal: AbortSignal): Promise<Group[]> {
  const groups = await keycloak.read('/groups', query, z.array(groupSchema), signal)
  // The realm exists, since it gave a token: what has no such list is not its Keycloak.
  if (groups === undefined) throw unreadable(`IdentityProvider ${keycloak.provider}: GET groups`)
  return groups
}

/** Makes sure that an empty answer means that there is no such group, and not that none is shown to us. */
async function confirmSight(keycloak: Keycloak, signal: AbortSignal): Promise<void> {
  if ((await listGroups(keycloak, { first: '0', max: '1' }, signal)).length > 0) return
  const counted = await keycloak.read('/groups/count', {}, countSchema, signal)
  if (counted === undefined) throw unreadable(`IdentityProvider ${keycloak.provider}: GET groups/count`)
  if (counted.count > 0) throw blind(`IdentityProvider ${keycloak.provider}: GET groups`, counted.count)
}

function withSubGroups(group: Group): Group[] {
  return [group, ...(group.subGroups ?? []).flatMap(withSubGroups)]
}

/**
 * Reads a list to its end; undefined for 404. A page begins with the last entry of the one before it: when that is another one,
 * entries have moved in between, and one of them would be left out.
 */
async function readPages<T extends { id: string }>(
  keycloak: Keycloak,
  path: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T[] | undefined> {
  const entries: T[] = []
  for (;;) {
    const first = Math.max(0, entries.length - 1)
    const query = { first: String(first), max: String(PAGE), briefRepresentation: 'true' }
    const page = await keycloak.read(path, query, z.array(schema), signal)
    if (page === undefined) return undefined
    if (first > 0 && page[0]?.id !== entries[first]?.id)
      throw new TransientError(
        'Conflict',
        `IdentityProvider ${keycloak.provider}: GET ${path}: the list changed while it was read`,
      )
    entries.push(...page.slice(first > 0 ? 1 : 0))
    if (page.length < PAGE) return entries
  }
}

function toMembers(users: readonly User[]): Member[] {
  const isEnabled = new Map<string, boolean>()
  for (const { email, username, enabled } of users) {
    const identifier = (email?.trim() || username).trim().toLowerCase()
    isEnabled.set(identifier, enabled || isEnabled.get(identifier) === true)
  }
  return [...isEnabled]
    .map(([identifier, enabled]) => ({ identifier, isEnabled: enabled }))
    .sort((a, b) => (a.identifier < b.identifier ? -1 : 1))
}
