// Where built servers are kept between runs, outside the checkout: a folder per version and recipe. A folder with its final
// name is complete, since it is filled under another name and renamed at the end.

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { withProgress } from './process/progress.ts'

const UNFINISHED = '.unfinished-'

/** The user's cache directory, or what FENCEPOST_CACHE says. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.FENCEPOST_CACHE) return environment.FENCEPOST_CACHE
  const own = process.platform === 'darwin' ? join(homedir(), 'Library/Caches') : join(homedir(), '.cache')
  return join(environment.XDG_CACHE_HOME || own, 'fencepost')
}

/** Something to keep. */
export interface Recipe {
  /** With its version, e.g. `kubernetes-1.34.4`. */
  readonly name: string
  /** What the progress line says. */
  readonly doing: string
  /** Files that it is made from: another content is another entry. */
  readonly sources: readonly string[]
  /** Fills the empty folder. */
  fill(folder: string): Promise<void>
}

/**
 * Gives the folder of a recipe, filled now unless it was before.
 * @throws Error – as `fill` does; nothing is kept then.
 */
export async function cached({ name, doing, sources, fill }: Recipe, root = cacheFolder()): Promise<string> {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}`)
  for (const source of sources) hash.update(await readFile(source))
  const folder = join(root, `${name}-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(folder)) return folder
  await mkdir(root, { recursive: true })
  await removeAbandoned(root)
  const unfinished = await mkdtemp(join(root, UNFINISHED))
  try {
    await withProgress(doing, () => fill(unfinished))
    await rename(unfinished, folder).catch(error => {
      // Another process was faster with the same.
      if (!existsSync(folder)) throw error
    })
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
  return folder
}

/** What a killed run may have left; no build takes this long, ms. */
const ABANDONED_MS = 3_600_000

async function removeAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const folder = join(root, name)
    if (!name.startsWith(UNFINISHED)) continue
    const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }))
    if (Date.now() - mtimeMs > ABANDONED_MS) await rm(folder, { recursive: true, force: true })
  }
}
