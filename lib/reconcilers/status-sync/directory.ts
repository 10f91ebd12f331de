// What the identity providers say about groups, for one tick: each group of each provider is asked for once, however many
// escalations name it. No answer is ever made of an error.

import { errorCode, errorMessage, TransientError } from '../../errors.ts'
import { membersOf } from '../../keycloak/groups.ts'
import type { BreakglassEscalation } from '../../kubernetes/resources/breakglass-escalation.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { keyOfPair, type Memory } from './memory.ts'
import type { Health, Provider } from './providers.ts'
import type { Asked, GroupAnswer } from './rules/membership.ts'
import type { StatusSyncSettings } from './rules/settings.ts'

/** How many groups of one provider are asked for at a time. */
export const PARALLEL_GROUPS = 4
/** After so many groups running that it had no answer for, a provider is asked for no more of them in this tick. */
export const MOST_FAILURES = 4

/** What a directory is opened with. */
export interface DirectoryOptions {
  readonly providers: readonly Provider[]
  /** What the pass before saw as empty or gone. */
  readonly memory: Memory | undefined
  readonly settings: Pick<StatusSyncSettings, 'disabledUsers'>
  readonly log: Log
  readonly metrics: Metrics
}

/** The directory of one tick. */
export interface Directory {
  /** Asks for every group of these escalations, each provider beside the others. */
  fetch(escalations: readonly BreakglassEscalation[], signal: AbortSignal): Promise<void>
  /** What is known for an escalation; a group that was never asked for counts as failed. */
  askedFor(escalation: BreakglassEscalation): Asked
  /** The health of each provider that is not disabled, by its name. */
  health(): Record<string, Health>
  /** Tells of each provider, and closes its connections. */
  close(): void
}

/** Opens the directory; nothing is asked yet. */
export function openDirectory({ providers, memory, settings, log, metrics }: DirectoryOptions): Directory {
  const answers = new Map<string, GroupAnswer>()
  const problems = new Map<string, { health: Health; reason: string }>()
  /** Groups running that a provider had no answer for. */
  const failures = new Map<string, number>()
  for (const provider of providers) if (provider.kind === 'unusable') problems.set(provider.name, provider)
  const usable = providers.flatMap(provider => (provider.kind === 'usable' ? [provider] : []))
  const isDisabled = (name: string) =>
    providers.some(provider => provider.name === name && provider.kind === 'disabled')

  /** Those that are named, unknown ones included; else all that synchronise groups. */
  function providersOf({ spec }: BreakglassEscalation): string[] {
    const listed = spec.approverProviders
    if (listed.length > 0) return listed.filter(name => !isDisabled(name))
    return providers.filter(({ kind, synchronises }) => kind !== 'disabled' && synchronises).map(({ name }) => name)
  }

  async function answer(
    { name, keycloak }: (typeof usable)[number],
    group: string,
    signal: AbortSignal,
  ): Promise<void> {
    const key = keyOfPair(name, group)
    const seenBefore = memory?.empty.includes(key) ?? false
    if ((failures.get(name) ?? 0) >= MOST_FAILURES) return
    try {
      const lookup = await membersOf(keycloak, group, signal)
      failures.set(name, 0)
      if (lookup.kind === 'missing') {
        answers.set(key, { kind: 'missing', seenBefore })
        return
      }
      const counted = lookup.members.filter(({ isEnabled }) => isEnabled || settings.disabledUsers === 'keep')
      const members = counted.map(({ identifier }) => identifier)
      answers.set(key, members.length > 0 ? { kind: 'members', members } : { kind: 'empty', seenBefore })
    } catch (error) {
      if (signal.aborted) throw error
      if (error instanceof TransientError) failures.set(name, (failures.get(name) ?? 0) + 1)
      answers.set(key, { kind: 'failed' })
      const code = errorCode(error)
      const isRefused = code === 'Unauthorized' || code === 'Forbidden'
      problems.set(name, {
        health: isRefused ? 'KeycloakAuthenticationFailed' : 'KeycloakHealthCheckFailed',
        reason: errorMessage(error),
      })
    }
  }

  return {
    async fetch(escalations, signal) {
      await Promise.all(
        usable.map(async provider => {
          const groups = new Set<string>()
          for (const escalation of escalations)
            if (providersOf(escalation).includes(provider.name))
              for (const group of escalation.spec.approverGroups)
                if (!answers.has(keyOfPair(provider.name, group))) groups.add(group)
          const waiting = [...groups]
          const ask = async () => {
            for (let group = waiting.shift(); group !== undefined; group = waiting.shift())
              await answer(provider, group, signal)
          }
          await Promise.all(Array.from({ length: PARALLEL_GROUPS }, ask))
        }),
      )
    },
    askedFor: escalation => ({
      providers: providersOf(escalation),
      answerOf: (provider, group) => answers.get(keyOfPair(provider, group)) ?? { kind: 'failed' },
    }),
    health: () =>
      Object.fromEntries(
        providers
          .filter(({ kind }) => kind !== 'disabled')
          .map(({ name }) => [name, problems.get(name)?.health ?? 'GroupSyncOperational']),
      ),
    close() {
      for (const { name, kind } of providers) if (kind !== 'disabled') tellOf(name)
      for (const { keycloak } of usable) {
        metrics.count('KeycloakCalls', keycloak.calls())
        keycloak.close()
      }
    },
  }

  function tellOf(provider: string): void {
    const calls = usable.find(({ name }) => name === provider)?.keycloak.calls() ?? 0
    const problem = problems.get(provider)
    if (!problem) {
      log.info('identity provider', { provider, health: 'GroupSyncOperational', calls })
      return
    }
    metrics.count('ProvidersFailed')
    log.warn('identity provider', { provider, health: problem.health, reason: problem.reason, calls })
  }
}
