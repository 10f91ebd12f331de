// The way to a cluster by a kubeconfig in a Secret. Whoever may write that Secret must neither run commands here nor read files: what
// leads outside the text leaves the cluster untried.

import { PermanentError } from '../../../errors.ts'
import { type Connection, connectByKubeconfigText } from '../../../kubernetes/connection.ts'
import { KubeconfigRefused } from '../../../kubernetes/kubeconfig-text.ts'
import type { SecretRef } from '../../../kubernetes/resources/secret.ts'
import type { Clock } from '../../../time.ts'
import { failed, type Look, untried } from '../rules/look.ts'
import { describeSecret, type Reading, readRef } from './secrets.ts'

/**
 * Makes the way to a cluster.
 * @throws as `readRef`.
 */
export async function connectBySecret(reading: Reading, ref: SecretRef, clock: Clock): Promise<Connection | Look> {
  const read = await readRef(reading, ref)
  if (read.kind === 'failed') return read
  const library = await import('../../../kubernetes/kubeconfig-library.ts')
  try {
    const where = `The kubeconfig in ${describeSecret(ref)}`
    const connection = await connectByKubeconfigText(library, { text: read.value, where }, clock)
    return connection.server.protocol === 'https:' ? connection : untried('plain-http')
  } catch (error) {
    if (error instanceof KubeconfigRefused) return untried(error.because)
    if (error instanceof PermanentError) return failed('KubeconfigParseFailed', `${error.message}.`)
    throw error
  }
}
