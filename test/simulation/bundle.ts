// The simulation as one file that workers load: lib as it is on disk, or with one bug put in.

import { readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'
import type { Mutant } from './mutants.ts'

/** Built files go where nobody looks for sources, and from where packages are found. */
const FOLDER = 'node_modules/.cache/fencepost-simulation'

/** A mutant whose text is not in lib any more, or more than once. */
export class StaleMutantError extends Error {
  override readonly name = 'StaleMutantError'
}

/** The text of a file with the bug in it. @throws StaleMutantError – `find` does not occur exactly once. */
export function mutated(text: string, { name, file, find, replace }: Mutant): string {
  const parts = text.split(find)
  if (parts.length !== 2)
    throw new StaleMutantError(`mutant «${name}» is stale: its text occurs ${parts.length - 1} times in ${file}`)
  return parts.join(replace)
}

/**
 * Builds the worker.
 * @returns the path of the built file.
 * @throws StaleMutantError
 */
export async function bundle(mutant?: Mutant): Promise<string> {
  if (mutant) mutated(await readFile(mutant.file, 'utf8'), mutant)
  const name = mutant ? mutant.name.replace(/\W+/g, '-') : 'as-it-is'
  const outfile = resolve(join(FOLDER, `${name}-${process.pid}.mjs`))
  await build({
    entryPoints: ['test/simulation/worker.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
    ...(mutant && { plugins: [planting(mutant)] }),
  })
  return outfile
}

function planting(mutant: Mutant): Plugin {
  return {
    name: 'mutant',
    setup(plugin) {
      plugin.onLoad({ filter: /\/lib\/.+\.ts$/ }, async ({ path }) => {
        if (relative(process.cwd(), path) !== mutant.file) return undefined
        return { contents: mutated(await readFile(path, 'utf8'), mutant), loader: 'ts' }
      })
    },
  }
}
