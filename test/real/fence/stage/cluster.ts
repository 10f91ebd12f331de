// A real cluster of one test file alone, set up as people do it: upstream's definitions, then infra/kubernetes, by kubectl. The
// functions are users of their own with the rights that the manifests give, and nobody is exempt from any policy.

import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { openUpstream, type Upstream } from '../../proxy/upstream.ts'
import { type KubernetesServer, startKubernetes } from '../../servers/kubernetes.ts'
import { kubernetesBinaries } from '../../servers/kubernetes-binaries.ts'
import { GO, temporaryFolder, whyNot } from '../../servers/tools.ts'
import { openAdministrator } from '../../world/administrator.ts'

const INFRA = fileURLToPath(new URL('../../../../infra/', import.meta.url))
/** What `kubectl apply -k` is given. */
export const MANIFESTS = join(INFRA, 'kubernetes')
/** The function of the schedule, as the API server knows it. */
export const CLEANUP = 'fencepost:function:fencepost-cleanup'
/** The function for runs by hand. */
export const RECONCILE = 'fencepost:function:fencepost-reconcile'
/** The user that alone may write. */
export const VIRTUAL = 'fencepost:fencepost-cleanup'
/** Somebody else in the cluster, who may do everything that RBAC can allow. */
export const SOMEBODY = 'somebody'
/** A user without any right. */
export const STRANGER = 'fencepost:function:somebody-elses'
const ADMINISTRATOR = 'administrator'
/** How long policies and rights may take to be in force, ms. */
const IN_FORCE_WITHIN_MS = 50_000

/** An answer of an API server. */
export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: bodies of many shapes, looked at field by field
  readonly body: any
  /** Of a Status; else ''. */
  readonly message: string
}

/** One request made by hand; `by` is a user's name, default the administrator. */
export interface Request {
  readonly by?: string
  readonly method: string
  readonly path: string
  readonly body?: object
  /** Default merge patch for a PATCH, JSON for the rest. */
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** One API server as it is asked by hand. */
export interface Hands {
  readonly upstream: Upstream
  ask(request: Request): Promise<Answer>
  close(): void
}

/** The cluster. */
export interface FenceCluster extends Hands {
  readonly server: KubernetesServer
  /** Hands on another API server of the same cluster. */
  hands(kubeconfig: string): Promise<Hands>
  /** Runs kubectl as the administrator. @throws Error – with what it said, when it fails. */
  kubectl(...words: string[]): Promise<string>
  /** Applies infra/kubernetes as its documents say, and waits until the fence is in force. */
  install(): Promise<void>
  stop(): Promise<void>
}

/** Why there can be no such cluster on this machine; undefined when there can. With CI set it is a failure. */
export async function whyNoCluster(): Promise<string | undefined> {
  const missing = process.env.KUBEBUILDER_ASSETS ? undefined : await whyNot(GO)
  const sentence = missing && `the fence is left out: ${missing}; KUBEBUILDER_ASSETS would do as well`
  if (sentence && process.env.CI === 'true') throw new Error(sentence)
  return sentence
}

/** Starts it, with upstream's definitions, the namespace of the sessions, and nothing of ours. */
export async function startFenceCluster(): Promise<FenceCluster> {
  const binaries = await kubernetesBinaries()
  const server = await startKubernetes(binaries, [CLEANUP, RECONCILE, SOMEBODY, STRANGER])
  const folder = await temporaryFolder()
  const hands = async (kubeconfig: string): Promise<Hands> => {
    const { connection, close } = await openAdministrator(kubeconfig)
    close()
    return handsOf(openUpstream(connection.server, connection.tls), server.tokens)
  }
  const first = await hands(server.kubeconfig)
  const kubectl = (...words: string[]) =>
    new Promise<string>((resolve, reject) => {
      const args = ['--kubeconfig', server.kubeconfig, '--cache-dir', join(folder, 'cache'), ...words]
      execFile(join(binaries, 'kubectl'), args, (error, out, err) => {
        if (error) reject(new Error(`kubectl ${words.join(' ')}: ${err}`))
        else resolve(out)
      })
    })
  await kubectl('apply', '-f', join(INFRA, 'local/crds'))
  await kubectl('create', 'clusterrolebinding', SOMEBODY, '--clusterrole=cluster-admin', `--user=${SOMEBODY}`)
  await kubectl('create', 'namespace', 'breakglass-system')
  return {
    ...first,
    server,
    hands,
    kubectl,
    async install() {
      await apply(kubectl)
      await inForce(first)
    },
    async stop() {
      first.close()
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The definition first: until it is established, no object of its kind can be applied. */
async function apply(kubectl: FenceCluster['kubectl']): Promise<void> {
  await kubectl('apply', '-f', join(MANIFESTS, 'fence/definition.yaml'))
  await kubectl('wait', '--for=condition=Established', 'crd/fences.fencepost.dev', '--timeout=30s')
  await kubectl('apply', '-k', MANIFESTS)
}

/** Waits until the policy of the tokens refuses the virtual user, who is known and may write. */
export async function inForce(hands: Hands, current = /current=/): Promise<void> {
  await until(async () => current.test((await probe(hands)).message))
}

/** A write that nobody may do, not even stored if it were: by the virtual user, under a holder that there never is. */
export function probe(hands: Hands): Promise<Answer> {
  const path = '/apis/events.k8s.io/v1/namespaces/default/events?dryRun=All'
  return hands.ask({ by: CLEANUP, method: 'POST', path, body: event('probe'), headers: virtual('0', 'nobody') })
}

/** An Event that is whole: objects of built-in kinds are validated before any policy is asked. */
export function event(name: string, namespace = 'default'): object {
  return {
    metadata: { name, namespace },
    eventTime: '2026-11-21T07:05:00.000000Z',
    reportingController: 'fencepost.test/fence',
    reportingInstance: 'fence',
    action: 'Probing',
    reason: 'Probe',
    type: 'Normal',
    regarding: { kind: 'Namespace', apiVersion: 'v1', name: namespace, namespace },
  }
}

/** The headers that make a request one of the virtual user's. */
export function virtual(token?: string, holder?: string): Record<string, string> {
  return {
    'impersonate-user': VIRTUAL,
    ...(token !== undefined && { 'impersonate-extra-fencepost.dev%2ftoken': token }),
    ...(holder !== undefined && { 'impersonate-extra-fencepost.dev%2fholder': holder }),
  }
}

/** Waits until something is so. @throws Error – after 50 s. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  const endsAtMs = performance.now() + IN_FORCE_WITHIN_MS
  while (!(await isSo())) {
    if (performance.now() > endsAtMs) throw new Error(`it is not so after ${IN_FORCE_WITHIN_MS / 1_000} s`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

function handsOf(upstream: Upstream, tokens: Readonly<Record<string, string>>): Hands {
  return {
    upstream,
    async ask({ by = ADMINISTRATOR, method, path, body, type, headers = {} }) {
      const standard = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
      const own = { authorization: `Bearer ${tokens[by]}`, 'content-type': type ?? standard, ...headers }
      const sent = body === undefined ? '' : JSON.stringify(body)
      const answer = await upstream.send({ method, path, headers: own, body: sent })
      const said = await text(answer)
      const parsed = said.startsWith('{') ? JSON.parse(said) : undefined
      const message = parsed?.kind === 'Status' ? String(parsed.message ?? '') : ''
      return { status: answer.statusCode ?? 0, body: parsed, message }
    },
    close: () => upstream.close(),
  }
}
