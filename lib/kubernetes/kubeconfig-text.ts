// A kubeconfig that somebody else wrote, as out of a secret: whoever may write it must not run commands in the function
// nor send its files away. So it may carry credentials and nothing that fetches them, and is checked before the library
// sees it, which reads the files that it names while parsing. No message tells anything that is in it.

import * as z from 'zod'
import { PermanentError } from '../errors.ts'

/** What leads outside the text, is refused by its name, and why. */
const OUTSIDE: Readonly<Record<string, RefusedBecause>> = {
  exec: 'command',
  'auth-provider': 'command',
  'client-certificate': 'file',
  'client-key': 'file',
  tokenFile: 'file',
  'token-file': 'file',
  'certificate-authority': 'file',
  'proxy-url': 'proxy',
}

/** What a kubeconfig may be refused for that is one all the same. */
export type RefusedBecause = 'command' | 'file' | 'proxy' | 'unknown-field' | 'aliases' | 'plain-http'

/** A kubeconfig that others may well be able to use, and that is refused here. */
export class KubeconfigRefused extends PermanentError {
  readonly because: RefusedBecause

  constructor(because: RefusedBecause, message: string) {
    super('InvalidConfiguration', message)
    this.because = because
  }
}

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

/** A YAML parser; with `maxAliases: 0` it throws at the first alias. */
type LoadYaml = (text: string, options?: { readonly maxAliases: number }) => unknown

/**
 * Reads a kubeconfig that carries all it needs and gives it as JSON, which every YAML parser reads alike.
 *
 * @param load parses YAML.
 * @param where names its source in messages.
 * @throws KubeconfigRefused – it has commands, files, aliases or fields that are not known here.
 * @throws PermanentError – InvalidConfiguration, when it is none.
 */
export function selfContained(text: string, load: LoadYaml, where: string): string {
  const unreadable = (why: string) => new PermanentError('InvalidConfiguration', `${where}: ${why}; ${MENDING}`)
  let document: unknown
  try {
    // A few lines of aliases to aliases say more than any memory can hold.
    document = load(text, { maxAliases: 0 })
  } catch {
    if (isYaml(text, load))
      throw new KubeconfigRefused('aliases', `${where}: it has aliases, which are not expanded; ${MENDING}`)
    throw unreadable('it is not YAML')
  }
  const parsed = kubeconfig.safeParse(document)
  if (!parsed.success) throw unreadable('it is not a kubeconfig with clusters, users and contexts')
  for (const { user } of parsed.data.users) allow('user', user ?? {}, USER)
  for (const { cluster } of parsed.data.clusters) allow('cluster', cluster, CLUSTER)
  return JSON.stringify(parsed.data)

  function allow(part: string, given: Readonly<Record<string, unknown>>, allowed: readonly string[]): void {
    const wrong = Object.keys(given).find(key => !allowed.includes(key))
    if (wrong === undefined) return
    const because = Object.hasOwn(OUTSIDE, wrong) ? (OUTSIDE[wrong] as RefusedBecause) : 'unknown-field'
    const named = because === 'unknown-field' ? 'a field that is not known here' : `"${wrong}"`
    const why = `a ${part} in it has ${named}, and may have only ${allowed.join(', ')}`
    throw new KubeconfigRefused(because, `${where}: ${why}; ${MENDING}`)
  }
}

/** Whether a text is YAML; an alias is the same value once more, and costs nothing until it is written out. */
function isYaml(text: string, load: LoadYaml): boolean {
  try {
    load(text)
    return true
  } catch {
    return false
  }
}
