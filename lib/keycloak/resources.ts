// What Keycloak answers, as far as it is relied on; everything else is ignored.

import * as z from 'zod'

/** A group. An answer to a search has in `subGroups` the way down to what was found; other answers leave it empty. */
export interface Group {
  readonly id: string
  readonly name: string
  /** Names from the top, each after a slash. */
  readonly path: string
  readonly subGroups?: readonly Group[] | null | undefined
}

/** Reads a group. */
export const groupSchema: z.ZodType<Group> = z.lazy(() =>
  z.object({
    id: z.string().min(1),
    name: z.string().min(1),
    path: z.string().min(1),
    subGroups: z.array(groupSchema).nullish(),
  }),
)

/** Reads how many groups a realm has, those below others included, whether they are shown or not. */
export const countSchema = z.object({ count: z.number() })

/** Reads a member of a group. */
export const userSchema = z.object({
  id: z.string().min(1),
  username: z.string().min(1),
  email: z.string().nullish(),
  enabled: z.boolean(),
})

/** A member as it is answered. */
export type User = z.infer<typeof userSchema>

/** Reads Keycloak's own 404, so that one of a proxy is not taken for a group that is gone. */
export const missingSchema = z.object({ error: z.string() })
