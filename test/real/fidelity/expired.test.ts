// Continue tokens and resourceVersions that are too old, on both servers. kube-apiserver forgets the past every 5 minutes; this
// one is started for these rows alone, and forgets it every second.

import { chmod, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { type KubernetesServer, startKubernetes } from '../servers/kubernetes.ts'
import { kubernetesBinaries } from '../servers/kubernetes-binaries.ts'
import { GO, temporaryFolder, whyNot } from '../servers/tools.ts'
import { describeWith } from '../world/left-out.ts'
import { differences } from './kubernetes/compare.ts'
import { type Answer, pathsOf, type Row } from './kubernetes/row.ts'
import { openPair, type Pair } from './kubernetes/run.ts'
import { sendRows } from './kubernetes/send.ts'

const STARTED_WITHIN_MS = 600_000
const WORDS = pathsOf('fidelity-expired', 'expired.fencepost.test')

const BEFORE: readonly Row[] = [
  { title: 'a namespace', send: 'POST {namespaces}', body: { metadata: { name: '{ns}' } } },
  ...['a', 'b', 'c'].map(name => ({ title: name, send: 'POST {configmaps}', body: { metadata: { name } } })),
  { title: 'the first page', send: 'GET {configmaps}?limit=1', as: 'page' },
  { title: 'another write', send: 'POST {configmaps}', body: { metadata: { name: 'bb' } } },
]
const EXPIRED: Row = {
  title: 'a token that is too old is refused, with a token to go on without its snapshot',
  send: 'GET {configmaps}?limit=1&continue={page.continue}',
  as: 'expired',
}
const AFTER: readonly Row[] = [
  EXPIRED,
  {
    title: 'the list goes on as it is now',
    send: 'GET {configmaps}?limit=2&continue={expired.continue}',
    as: 'onward',
  },
  { title: 'and to its end', send: 'GET {configmaps}?limit=2&continue={onward.continue}' },
  {
    title: 'an exact list of the past is refused',
    send: 'GET {configmaps}?resourceVersion={page.resourceVersion}&resourceVersionMatch=Exact',
  },
  {
    title: 'a page of an exact list of the past is refused',
    send: 'GET {configmaps}?limit=1&resourceVersion={page.resourceVersion}&resourceVersionMatch=Exact',
  },
  { title: 'a list not older than the past is given', send: 'GET {configmaps}?resourceVersion={page.resourceVersion}' },
]

const { kubernetes } = inject('realServers')
const missing = process.env.KUBEBUILDER_ASSETS ? undefined : await whyNot(GO)
const server = typeof kubernetes === 'string' ? kubernetes : (missing ?? {})

describeWith(server, 'what is too old for the embedded Kubernetes API and for a real kube-apiserver', () => {
  let started: KubernetesServer
  let folder: string | undefined
  let pair: Pair
  const answers = { embedded: [] as Answer[], real: [] as Answer[] }

  beforeAll(async () => {
    folder = await forgetful(await kubernetesBinaries())
    started = await startKubernetes(folder, [])
    pair = await openPair(started.kubeconfig)
    for (const name of ['embedded', 'real'] as const) {
      const kept = new Map<string, Answer>()
      await sendRows(pair[name], BEFORE, WORDS, kept)
      pair.compact()
      for (let status = 0; status !== 410; ) {
        status = (await sendRows(pair[name], [EXPIRED], WORDS, kept))[0]?.status ?? 0
        if (status !== 410) await new Promise(resolve => setTimeout(resolve, 250))
      }
      answers[name] = await sendRows(pair[name], AFTER, WORDS, kept)
    }
  }, STARTED_WITHIN_MS)
  afterAll(async () => {
    await pair?.close()
    await started?.stop()
    if (folder !== undefined) await rm(folder, { recursive: true })
  })

  it.each(AFTER.map((row, at) => ({ ...row, at })))('$title', ({ at, ...row }) => {
    const [one, other] = [answers.embedded[at], answers.real[at]]
    if (one === undefined || other === undefined) throw new Error('no answer')
    expect(Object.fromEntries(differences(row, one, other))).toEqual({})
  })
})

/** The same servers, with one more flag. */
async function forgetful(binaries: string): Promise<string> {
  const folder = await temporaryFolder()
  await symlink(join(binaries, 'etcd'), join(folder, 'etcd'))
  const apiServer = join(folder, 'kube-apiserver')
  await writeFile(
    apiServer,
    `#!/bin/sh\nexec "${join(binaries, 'kube-apiserver')}" "$@" --etcd-compaction-interval=1s\n`,
  )
  await chmod(apiServer, 0o755)
  return folder
}
