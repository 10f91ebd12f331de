// The rows on which the embedded API is known to differ, and why: the line of FIDELITY.md that says so. The list is held to
// be true in both directions: a row that is not here must be equal, one that is here must still differ, and nowhere else
// than it says.

/** A reason to differ, and the rows that show it. */
export interface KnownDifference {
  /** What a line of FIDELITY.md begins with, after its mark. */
  readonly line: string
  /** Paths in the answer, each with all below it; `*` is any one key. */
  readonly at: readonly string[]
  readonly rows: readonly string[]
}

/** Every known difference. */
export const KNOWN: readonly KnownDifference[] = [
  { line: 'authentication |', at: ['status', 'body'], rows: ['no token at all'] },
  { line: 'authorization,', at: ['status', 'body'], rows: ['somebody without rights'] },
  {
    line: 'descriptions of columns |',
    at: ['body.columnDefinitions.*.description'],
    rows: [
      'widgets as a table',
      'widgets as a table of whole objects',
      'widgets as a table without objects',
      'one widget as a table',
      'a page as a table',
      'Leases as a table',
      'a Secret as a table',
      'a policy as a table',
      'a binding as a table',
      'Namespaces as a table',
      'definitions as a table',
      'kubectl get namespace',
      'kubectl get leases',
    ],
  },
  { line: 'descriptions of columns |', at: ['body.0.*.description'], rows: ['core Events as a table'] },
  {
    line: 'A patch whose result does not decode',
    at: ['body.message', 'body.details.causes.0.message'],
    rows: ['a merge patch with an unknown field, strictly', 'a strategic merge patch with a number for a text'],
  },
  {
    line: 'CEL that does not parse:',
    at: ['body.message', 'body.details.causes.0.message'],
    rows: ['a policy with a syntax error', 'a definition whose rule has a syntax error'],
  },
  { line: 'JSON that does not parse:', at: ['body.message'], rows: ['a body with a stray comma'] },
  {
    line: 'JSON that does not parse:',
    at: ['body.details.causes.0.message'],
    rows: ['a definition with no version that is stored'],
  },
  {
    line: 'the build in `/version` |',
    at: ['body.gitCommit', 'body.gitTreeState', 'body.buildDate', 'body.goVersion', 'body.compiler', 'body.platform'],
    rows: ['the server tells its version'],
  },
  {
    line: 'aggregated discovery,',
    at: ['body.*.storageVersionHash', 'body.resources.*.storageVersionHash'],
    rows: [
      'resources of the core group',
      'resources of the group of Leases',
      'resources of the group of Events',
      'resources of the group of definitions',
      'resources of custom objects',
      'resources of custom objects in the other version',
    ],
  },
  {
    line: 'aggregated discovery,',
    at: ['type', 'body'],
    rows: ['kubectl asks for the core group', 'kubectl asks for all groups'],
  },
  { line: 'server-side apply |', at: ['status', 'body'], rows: ['kubectl apply --server-side'] },
  {
    line: 'server-side apply |',
    at: ['body.metadata.annotations'],
    rows: ['kubectl apply --server-side takes over managedFields'],
  },
  {
    line: 'protobuf bodies',
    at: ['status', 'type', 'body'],
    rows: ['kubectl create namespace, in protobuf'],
  },
]

/** Whether a difference at `path` of a row is known. */
export function isKnown(title: string, path: string): boolean {
  const steps = path.split('.')
  return KNOWN.filter(({ rows }) => rows.includes(title)).some(({ at }) =>
    at.some(pattern => pattern.split('.').every((step, index) => step === '*' || step === steps[index])),
  )
}
