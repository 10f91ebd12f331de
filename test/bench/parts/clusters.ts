// What clusters that hang cost a tick of config-check.

import { createConfigCheck } from '../../../lib/reconcilers/config-check/index.ts'
import { systemClock } from '../../../lib/time.ts'
import { runPass, startCluster, UNHEARD } from '../../support/pass.ts'
import { byKubeconfig, kubeconfigOf, startSilence, startSpoke } from '../../support/spoke.ts'
import type { Report, Setting } from '../report.ts'

/** The longest that one look takes, s. */
const LOOK_SECONDS = 5

/** Wall time of a pass over clusters of which some hang. */
export async function clusters({ isQuick, progress }: Setting): Promise<Report> {
  const [count, silent] = isQuick ? [10, 1] : [100, 10]
  progress.begin('looking at clusters', 2)
  const spoke = await startSpoke()
  const silence = await startSilence()
  const nameOf = (i: number) => `cluster-${String(i).padStart(3, '0')}`
  const objectsWith = (hanging: number) =>
    Array.from({ length: count }, (_, i) => {
      // Spread over the list, as they would be.
      const isSilent = hanging > 0 && i % Math.floor(count / hanging) === 0
      const name = nameOf(i)
      return byKubeconfig(name, kubeconfigOf(isSilent ? silence.url : spoke.url))
    }).flat()
  const passWith = async (hanging: number) => {
    const cluster = await startCluster(objectsWith(hanging))
    try {
      return await runPass(createConfigCheck({ api: cluster.api, clock: systemClock, ...UNHEARD }))
    } finally {
      await cluster.close()
      progress.step()
    }
  }
  try {
    const well = await passWith(0)
    const some = await passWith(silent)
    const serialMs = (well.elapsedMs / count) * (count - silent) + silent * LOOK_SECONDS * 1_000
    return {
      title: 'Looking at clusters',
      how: `One pass of config-check over ${count} clusters with kubeconfigs, observed and planned, on an embedded API; the clusters are one embedded API behind TLS, and ${silent} of them a server that takes connections and never answers. Upstream looks at one after the other: its time is computed from the pass without any that hang, and ${LOOK_SECONDS} s for each that does.`,
      tables: [
        {
          title: 'Wall time of the pass',
          columns: ['', 'ms'],
          rows: [
            ['all answer', Math.round(well.elapsedMs)],
            [`${silent} hang`, Math.round(some.elapsedMs)],
            [`${silent} hang, one after the other, computed`, Math.round(serialMs)],
          ],
        },
      ],
      aims: [
        {
          aim: `${silent} that hang cost less than half of what they cost one after the other`,
          measured: `${(some.elapsedMs / 1_000).toFixed(1)} s beside ${(serialMs / 1_000).toFixed(1)} s`,
          isMet: some.elapsedMs < serialMs / 2,
        },
      ],
      dominates: `The ${LOOK_SECONDS} s that each hanging look may take, eight at a time.`,
    }
  } finally {
    await Promise.all([spoke.close(), silence.close()])
  }
}
