// The functions as they are deployed, bundled in a temporary folder, so that the checkout's own `dist` stays as it is.

import { join } from 'node:path'
import { type Bundled, bundle } from '../../infra/build/bundle.cjs'
import { copyService } from '../package/service.ts'

/** The functions that are deployed. */
export const FUNCTIONS = ['cleanup', 'reconcile'] as const

/** Bundles that can be run. */
export interface Bundles extends Bundled {
  /** The folder that has `dist`. */
  readonly root: string
  /** The file of a function's bundle. */
  fileOf(name: string): string
  /** The file of a chunk. */
  chunkOf(name: string): string
}

/** Bundles the functions, does `work` with them and removes them. */
export async function withBundles<T>(work: (bundles: Bundles) => Promise<T>): Promise<T> {
  const copy = await copyService()
  try {
    const bundled = await bundle({ root: copy.root, functions: FUNCTIONS })
    return await work({
      ...bundled,
      root: copy.root,
      fileOf: name => join(copy.root, 'dist', `${name}.cjs`),
      chunkOf: name => join(copy.root, 'dist/chunks', `${name}.cjs`),
    })
  } finally {
    await copy.remove()
  }
}
