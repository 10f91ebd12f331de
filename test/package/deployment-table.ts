// The table «What a deployment creates» of docs/deploy.md, read by its first words: `| 2 functions | … |`.

import { readFile } from 'node:fs/promises'

const DOCUMENT = new URL('../../docs/deploy.md', import.meta.url)
const TITLE = '## What a deployment creates'

/** One row: how many of what, and what is said of it. */
export interface DeploymentRow {
  readonly what: string
  readonly count: number
  readonly text: string
}

/** Reads the table. */
export async function deploymentTable(): Promise<DeploymentRow[]> {
  const [, section = ''] = (await readFile(DOCUMENT, 'utf8')).split(TITLE)
  const [table = ''] = section.trim().split('\n\n')
  return [...table.matchAll(/^\| (\d+) ([^|]+) \| (.+) \|$/gm)].map(([, count, what = '', text = '']) => ({
    what: what.trim(),
    count: Number(count),
    text,
  }))
}
