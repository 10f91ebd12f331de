// What the product relies on of a Kubernetes API server, told in HTTP alone: no client of ours takes part, so the same suite runs
// over the embedded API and over a real kube-apiserver. It makes its own namespace and its own kind, named by a random suffix.

import { describe } from 'vitest'
import { describeCreates } from './kubernetes-api/creates.ts'
import { describeCustomResources } from './kubernetes-api/custom-resources.ts'
import { describeDeletes } from './kubernetes-api/deletes.ts'
import { describeDiscovery } from './kubernetes-api/discovery.ts'
import { describeFence } from './kubernetes-api/fence.ts'
import type { OpenApi } from './kubernetes-api/http.ts'
import { describeLeases } from './kubernetes-api/leases.ts'
import { describeLists } from './kubernetes-api/lists.ts'
import { describePatches } from './kubernetes-api/patches.ts'
import { describePolicies } from './kubernetes-api/policies.ts'
import { describeRecords } from './kubernetes-api/records.ts'
import { openSuite } from './kubernetes-api/suite.ts'
import { describeUpdates } from './kubernetes-api/updates.ts'
import { describeWatches } from './kubernetes-api/watches.ts'

export type { Answer, OpenApi, Request } from './kubernetes-api/http.ts'

/** Runs the suite over the server that `open` gives. */
export function describeKubernetesApi(name: string, open: () => Promise<OpenApi>): void {
  describe(`the Kubernetes API of ${name}`, () => {
    const suite = openSuite(open)
    describeCreates(suite)
    describeCustomResources(suite)
    describeUpdates(suite)
    describePatches(suite)
    describeDeletes(suite)
    describeLeases(suite)
    describeRecords(suite)
    describeLists(suite)
    describeWatches(suite)
    describeDiscovery(suite)
    describeFence(suite)
    describePolicies(suite)
  })
}
