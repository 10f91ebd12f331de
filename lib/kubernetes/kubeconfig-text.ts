// A kubeconfig that somebody else wrote, as out of a secret: whoever may write it must not run commands in the function
// nor send its files away. So it may carry credentials and nothing that fetches them, and is checked before the library
// sees it, which reads the files that it names while parsing. No message tells anything that is in it.

import * as z from 'zod'
import { PermanentError } from '../errors.ts'

/** What leads to a command or a file, and is refused by its name. */
const FORBIDDEN: readonly string[] = [
  'exec',
  'auth-provider',
  'client-certificate',
  'client-key',
  'tokenFile',
  'token-file',
  'certificate-authority',
  'proxy-url',
]

/** What may stand in a user, and what in a cluster. */
const USER = ['token', 'username', 'password', 'client-certificate-data', 'client-key-data', 'as', 'extensions']
const CLUSTER = [
  'server',
  'certificate-authority-data',
  'insecure-skip-tls-verify',
  'tls-server-name',
  'disable-compression',
  'extensions',
]

const fields = z.record(z.string(), z.unknown())
const kubeconfig = z.looseObject({
  clusters: z.array(z.looseObject({ cluster: fields })).min(1),
  users: z.array(z.looseObject({ user: fields.nullish() })).min(1),
  contexts: z.array(z.looseObject({})).min(1),
})

/** How to make one that is accepted. */
const MENDING =
  'write it with `kubectl config view --raw --minify --flatten`, with a token or a client certificate in it'

/**
 * Reads a kubeconfig that carries all it needs and gives it as JSON, which every YAML parser reads alike.
 *
 * @param load parses YAML.
 * @param where names its source in messages.
 * @throws PermanentError – InvalidConfiguration, when it is none, or has commands, files or fields that are not known here.
 */
export function selfContained(text: string, load: (text: string) => unknown, where: string): string {
  const refused = (why: string) => new PermanentError('InvalidConfiguration', `${where}: ${why}; ${MENDING}`)
  let document: unknown
  try {
    document = load(text)
  } catch {
    throw refused('it is not YAML')
  }
  const parsed = kubeconfig.safeParse(document)
  if (!parsed.success) throw refused('it is not a kubeconfig with clusters, users and contexts')
  for (const { user } of parsed.data.users) allow('user', user ?? {}, USER)
  for (const { cluster } of parsed.data.clusters) allow('cluster', cluster, CLUSTER)
  return JSON.stringify(parsed.data)

  function allow(part: string, given: Readonly<Record<string, unknown>>, allowed: readonly string[]): void {
    const wrong = Object.keys(given).find(key => !allowed.includes(key))
    if (wrong === undefined) return
    const named = FORBIDDEN.includes(wrong) ? `"${wrong}"` : 'a field that is not known here'
    throw refused(`a ${part} in it has ${named}, and may have only ${allowed.join(', ')}`)
  }
}
