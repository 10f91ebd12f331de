// What status-sync asks of Keycloaks, counted there, and what one that hangs costs.

import { type EmbeddedKeycloak, startKeycloak } from '../../../infra/local/keycloak/server.ts'
import { createStatusSync } from '../../../lib/reconcilers/status-sync/index.ts'
import { systemClock } from '../../../lib/time.ts'
import { escalation, provider, realm, secret } from '../../support/directory.ts'
import { runPass, startCluster, UNHEARD } from '../../support/pass.ts'
import { SERVER_TLS } from '../../support/spoke.ts'
import type { Report, Setting } from '../report.ts'

const PROVIDERS = ['corp', 'partner']
/** Approver groups of one escalation. */
const GROUPS_EACH = 4
/** What a provider's requestTimeout says. */
const REQUEST_TIMEOUT = '1s'

/** Calls of a tick, and its wall time with all providers and with one that hangs. */
export async function providers({ isQuick, progress }: Setting): Promise<Report> {
  const [escalations, groups] = isQuick ? [20, 8] : [200, 40]
  progress.begin('asking Keycloaks', 2)
  const names = Array.from({ length: groups }, (_, i) => `group-${String(i).padStart(2, '0')}`)
  const directory = Object.fromEntries(names.map((name, i) => [`/${name}`, [`member-${i}`]]))
  const servers = await Promise.all(
    PROVIDERS.map(name => startKeycloak({ realms: [realm(name, directory)], tls: SERVER_TLS })),
  )
  const objects = Array.from({ length: escalations }, (_, i) =>
    escalation(
      `escalation-${String(i).padStart(3, '0')}`,
      Array.from({ length: GROUPS_EACH }, (_, k) => names[(i + k * 7) % groups] as string),
    ),
  )
  const cluster = await startCluster([
    secret(),
    ...servers.map(({ url }, i) =>
      provider(PROVIDERS[i] as string, url, { keycloak: { requestTimeout: REQUEST_TIMEOUT } }),
    ),
    ...objects,
  ])
  try {
    const loop = createStatusSync({ api: cluster.api, clock: systemClock, ...UNHEARD })
    const all = await runPass(loop)
    const calls = servers.reduce((sum, { requests }) => sum + requests.length, 0)
    progress.step()
    const [, second] = servers as [EmbeddedKeycloak, EmbeddedKeycloak]
    second.intercept = () => 'hang'
    const hanging = await runPass(loop)
    progress.step()
    // One token for each escalation and provider, then three requests for each of its groups; none has groups below it.
    const upstream = escalations * PROVIDERS.length * (1 + GROUPS_EACH * 3)
    return {
      title: 'Asking Keycloaks',
      how: `One pass of status-sync over ${escalations} escalations with ${GROUPS_EACH} of ${groups} groups each, and ${PROVIDERS.length} identity providers, observed and planned, on embedded servers over TLS; the Keycloaks' own counts. Upstream's are computed from its algorithm, which keeps neither tokens nor members from one escalation to the next. The provider that hangs takes every connection and answers nothing; its requestTimeout is ${REQUEST_TIMEOUT}.`,
      tables: [
        {
          title: 'Requests of one tick',
          columns: ['', 'requests'],
          rows: [
            ['Fencepost', calls],
            ['upstream, computed', upstream],
          ],
        },
        {
          title: 'Wall time of the pass',
          columns: ['', 'ms'],
          rows: [
            ['all providers answer', Math.round(all.elapsedMs)],
            ['one provider hangs', Math.round(hanging.elapsedMs)],
          ],
        },
      ],
      aims: [
        {
          aim: '1 token for each provider, 3 requests for each of its groups (search, members, children)',
          measured: `${calls} for ${PROVIDERS.length} tokens and ${PROVIDERS.length * groups} groups`,
          isMet: calls === PROVIDERS.length * (1 + 3 * groups),
        },
        {
          aim: 'a provider that hangs costs less than the 30 s that one may take of a tick',
          measured: `${(hanging.elapsedMs / 1_000).toFixed(1)} s`,
          isMet: hanging.elapsedMs < 30_000,
        },
      ],
      dominates:
        'Three requests for each group of each provider, four groups at a time; where one hangs, its time limit, three tries ' +
        'and the waits between them, until four groups running had no answer.',
    }
  } finally {
    await Promise.all([cluster.close(), ...servers.map(({ close }) => close())])
  }
}
