// A real API server of this file alone, whose users have the rights of infra/kubernetes and no other; the run's own server
// gives the same users more. The functions reach it through a proxy that records what they send and what is refused.

import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { json } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { vi } from 'vitest'
import { parse } from 'yaml'
import { type KubernetesHooks, startKubernetesProxy } from '../proxy/kubernetes.ts'
import { startKubernetes } from '../servers/kubernetes.ts'
import { kubernetesBinaries } from '../servers/kubernetes-binaries.ts'
import { GO, temporaryFolder, whyNot } from '../servers/tools.ts'
import { type Administrator, openAdministrator } from '../world/administrator.ts'

const INFRA = fileURLToPath(new URL('../../../infra/', import.meta.url))
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
/** The functions, which are users of the cluster as `fencepost:function:fencepost-<function>`. */
export const FUNCTIONS = ['cleanup', 'status-sync', 'config-check', 'reconcile'] as const
/** Where the folder `secrets` lets them be read. */
export const SECRETS_NAMESPACE = 'breakglass-system'
/** Who writes for a loop. */
export const virtualUserOf = (loop: string) => `fencepost:fencepost-${loop}`
/** How long the API server may take to act by new rights, ms. */
const RIGHTS_WITHIN_MS = 30_000

/** One rule of a Role or ClusterRole. */
export interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

/** A Role or ClusterRole. */
export interface RoleObject {
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly rules: readonly Rule[]
}

/** The cluster, an administrator's hands on it, and the functions' way to it. */
export interface RightsCluster {
  readonly administrator: Administrator
  readonly proxy: KubernetesHooks
  /** Runs kubectl as the administrator. @throws Error – with what it said, when it fails. */
  kubectl(...words: string[]): Promise<string>
  /** The same with an input. */
  kubectlWith(input: string, ...words: string[]): Promise<string>
  /** A folder for `kubectl apply -k`: infra/kubernetes with a component of it. */
  overlay(component: string): Promise<string>
  /** A folder for `kubectl apply -k`: infra/kubernetes/secrets for another namespace. */
  secretsIn(namespace: string): Promise<string>
  /** A kubeconfig of the administrator, with everything in it, as a cluster to be checked has one. */
  readonly kubeconfig: string
  /** A kubeconfig file of a function. */
  kubeconfigOf(name: string): Promise<string>
  /** Reads one object as it is stored. */
  read<T = Record<string, unknown>>(path: string): Promise<T>
  /** The Roles and the ClusterRoles of a loop as they are stored; secrets are those of `SECRETS_NAMESPACE`. */
  roles(loop: string): Promise<RoleObject[]>
  /** Unbinds the rights of all other loops, so that a run by hand has those of one alone. */
  only(loop: string): Promise<void>
  /** Stores a role with other rules, and waits until those who have it may do just that. */
  replace(role: RoleObject): Promise<void>
  close(): Promise<void>
}

/** Why there can be no such cluster on this machine; undefined when there can. With CI set it is a failure. */
export async function whyNoCluster(): Promise<string | undefined> {
  const missing = process.env.KUBEBUILDER_ASSETS ? undefined : await whyNot(GO)
  const sentence = missing && `the functions' rights are left out: ${missing}; KUBEBUILDER_ASSETS would do as well`
  if (sentence && process.env.CI === 'true') throw new Error(sentence)
  return sentence
}

/** Starts it, with upstream's CRDs and nothing of ours. */
export async function startRightsCluster(): Promise<RightsCluster> {
  const binaries = await kubernetesBinaries()
  const users = FUNCTIONS.map(userOf)
  const server = await startKubernetes(binaries, users)
  const administrator = await openAdministrator(server.kubeconfig)
  await administrator.create(await definitions())
  const folder = await realpath(await temporaryFolder())
  const proxy = await startKubernetesProxy({
    upstream: administrator.upstream,
    credentials: async user => ({ authorization: `Bearer ${server.tokens[user]}` }),
  })

  async function ask(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
    const answer = await administrator.upstream.send({
      method,
      path,
      headers: { ...(await administrator.connection.headers()), 'content-type': 'application/json' },
      body: body === undefined ? '' : JSON.stringify(body),
    })
    return { status: answer.statusCode ?? 0, body: await json(answer) }
  }

  async function read<T>(path: string): Promise<T> {
    const { status, body } = await ask('GET', path)
    if (status !== 200) throw new Error(`${path}: HTTP ${status}`)
    return body as T
  }

  function kubectl(input: string, words: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const args = ['--kubeconfig', server.kubeconfig, '--cache-dir', join(folder, 'cache'), ...words]
      const child = execFile(join(binaries, 'kubectl'), args, (error, out, err) => {
        if (error) reject(new Error(`kubectl ${words.join(' ')}: ${err}`))
        else resolve(out)
      })
      child.stdin?.end(input)
    })
  }

  /** Whether a user may do something, as the server's own authorizer says. */
  async function may(user: string, attributes: object): Promise<boolean> {
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' }
    const spec = { user, groups: ['system:authenticated'], resourceAttributes: attributes }
    const { body } = await ask('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', { ...review, spec })
    return (body as { status: { allowed: boolean } }).status.allowed
  }

  return {
    administrator,
    proxy,
    read,
    kubectl: (...words) => kubectl('', words),
    kubectlWith: (input, ...words) => kubectl(input, words),
    async overlay(component) {
      const to = join(folder, component)
      await mkdir(to, { recursive: true })
      const base = relative(to, await realpath(join(INFRA, 'kubernetes')))
      const kustomization = { resources: [base], components: [join(base, component)] }
      await writeFile(join(to, 'kustomization.yaml'), JSON.stringify(kustomization))
      return to
    },
    async secretsIn(namespace) {
      const to = join(folder, `secrets-${namespace}`)
      await mkdir(to, { recursive: true })
      const base = relative(to, await realpath(join(INFRA, 'kubernetes/secrets')))
      await writeFile(join(to, 'kustomization.yaml'), JSON.stringify({ namespace, resources: [base] }))
      return to
    },
    kubeconfig: await readFile(server.kubeconfig, 'utf8'),
    async kubeconfigOf(name) {
      const file = join(folder, `kubeconfig-${name}`)
      await writeFile(file, kubeconfig(proxy.url, userOf(name)))
      return file
    },
    async roles(loop) {
      const name = `fencepost-${loop}`
      const secrets = `${RBAC}/namespaces/${SECRETS_NAMESPACE}/roles/${name}-secrets`
      return await Promise.all([
        read<RoleObject>(`${RBAC}/namespaces/fencepost-system/roles/${name}`),
        ...['', '-fence', '-writer'].map(part => read<RoleObject>(`${RBAC}/clusterroles/${name}${part}`)),
        ...(READS_SECRETS.includes(loop) ? [read<RoleObject>(secrets)] : []),
      ])
    },
    async only(loop) {
      for (const other of FUNCTIONS.filter(name => name !== 'reconcile' && name !== loop))
        for (const path of [
          `clusterrolebindings/fencepost-${other}`,
          `clusterrolebindings/fencepost-${other}-fence`,
          `namespaces/fencepost-system/rolebindings/fencepost-${other}`,
          `namespaces/${SECRETS_NAMESPACE}/rolebindings/fencepost-${other}-secrets`,
        ]) {
          const { status } = await ask('DELETE', `${RBAC}/${path}`)
          if (status !== 200 && status !== 404) throw new Error(`${path}: HTTP ${status}`)
        }
    },
    async replace(role) {
      const { name, namespace } = role.metadata
      const path = namespace ? `${RBAC}/namespaces/${namespace}/roles/${name}` : `${RBAC}/clusterroles/${name}`
      const before = await read<RoleObject>(path)
      const { status } = await ask('PUT', path, { ...before, rules: role.rules })
      if (status !== 200) throw new Error(`${path}: HTTP ${status}`)
      const wanted = new Set(rightsOf([role]))
      const all = [...new Set([...wanted, ...rightsOf([before])])]
      await vi.waitFor(
        async () => {
          for (const user of usersOf(name))
            for (const right of all)
              if ((await may(user, attributesOf(right))) !== wanted.has(right)) throw new Error(`${user}: ${right}`)
        },
        { timeout: RIGHTS_WITHIN_MS, interval: 100 },
      )
    },
    async close() {
      await proxy.close()
      administrator.close()
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const userOf = (name: string) => `fencepost:function:fencepost-${name}`
/** Loops that read secrets. */
const READS_SECRETS: readonly string[] = ['status-sync', 'config-check']

/** Who is bound to a role: a loop's virtual user to its writer role, its function and runs by hand to all others. */
function usersOf(role: string): string[] {
  const [, loop = '', part] = /^fencepost-(.+?)(-fence|-writer|-secrets)?$/.exec(role) ?? []
  return part === '-writer' ? [virtualUserOf(loop)] : [userOf(loop), userOf('reconcile')]
}

/** Every right of some roles: `verb resource.group`, with `/name` where it is limited to one. */
export function rightsOf(roles: readonly RoleObject[]): string[] {
  return roles.flatMap(({ rules }) =>
    rules.flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
      verbs.flatMap(verb =>
        resources.flatMap(resource =>
          apiGroups.flatMap(group =>
            (resourceNames ?? ['']).map(name => `${verb} ${resource}.${group}${name && ` ${name}`}`),
          ),
        ),
      ),
    ),
  )
}

/** The same roles without one right; rules that are left empty go. */
export function without(roles: readonly RoleObject[], verb: string, resource: string): RoleObject[] {
  return roles.map(role => ({
    ...role,
    rules: role.rules
      .flatMap(rule => [
        { ...rule, resources: rule.resources.filter(other => other !== resource) },
        {
          ...rule,
          resources: rule.resources.filter(other => other === resource),
          verbs: rule.verbs.filter(v => v !== verb),
        },
      ])
      .filter(({ resources, verbs }) => resources.length > 0 && verbs.length > 0),
  }))
}

function attributesOf(right: string): object {
  const [, verb, resource, subresource, group, name] =
    /^(\w+) (\w+)(?:\/(fencepost\.dev\/\w+|\w+))?\.(\S*)(?: (.+))?$/.exec(right) ?? []
  return {
    verb,
    resource,
    subresource,
    group,
    name,
    ...(group === 'coordination.k8s.io' && { namespace: 'fencepost-system' }),
    ...(resource === 'secrets' && { namespace: SECRETS_NAMESPACE }),
  }
}

function kubeconfig(server: string, user: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'real',
    clusters: [{ name: 'real', cluster: { server } }],
    users: [{ name: user, user: { token: user } }],
    contexts: [{ name: 'real', context: { cluster: 'real', user } }],
  })
}

async function definitions(): Promise<object[]> {
  const files = (await readdir(join(INFRA, 'local/crds'))).filter(file => file.endsWith('.yaml'))
  return await Promise.all(
    files.map(async file => parse(await readFile(join(INFRA, 'local/crds', file), 'utf8')) as object),
  )
}
