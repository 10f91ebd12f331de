// The sample objects and realms of a local world. What in them depends on where the servers of this run listen stands in angle
// brackets in the files, and is filled in here.

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadSamples } from '../kubernetes/samples.ts'

const SAMPLES = fileURLToPath(new URL('../samples/', import.meta.url))
const REALMS = `${SAMPLES}realms/`

/** What the samples need to know about a run. */
export interface Places {
  /** Where the embedded Keycloak listens, `https://127.0.0.1:<port>`. */
  readonly keycloak: string
  /** Where the embedded Kubernetes API is reached over TLS. */
  readonly kubernetes: string
  /** The certificate of both, PEM. */
  readonly certificate: string
}

/** The sample objects, with instants relative to now, epoch ms. */
export function sampleObjects(nowMs: number, { keycloak, kubernetes, certificate }: Places): object[] {
  const marks: Readonly<Record<string, string>> = {
    '<keycloak>': new URL(keycloak).host,
    '<kubernetes>': new URL(kubernetes).host,
    '<ca>': certificate,
    '<ca-base64>': Buffer.from(certificate).toString('base64'),
  }
  const fill = (text: string) => text.replace(/<[a-z0-9-]+>/g, mark => marks[mark] ?? mark)
  return filled(loadSamples(SAMPLES, nowMs), fill) as object[]
}

/** The same with every text in it filled in. */
function filled(value: unknown, fill: (text: string) => string): unknown {
  if (typeof value === 'string') return fill(value)
  if (Array.isArray(value)) return value.map(item => filled(item, fill))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, fill)]))
}

/** The realm exports that the embedded Keycloak is to serve. */
export function sampleRealms(): object[] {
  const files = readdirSync(REALMS).filter(name => name.endsWith('.json'))
  return files.sort().map(name => JSON.parse(readFileSync(REALMS + name, 'utf8')) as object)
}
