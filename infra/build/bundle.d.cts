import type { Metafile } from 'esbuild'

/** The project's folder, and the names of its functions. */
export interface Project {
  readonly root: string
  readonly functions: readonly string[]
}

/** What was bundled. */
export interface Bundled {
  /** For each function its bundle and its chunks, as paths from the root. */
  readonly files: Readonly<Record<string, readonly string[]>>
  /** What went into every bundle and chunk. */
  readonly metafile: Metafile
}

/**
 * Bundles functions and the chunks they ask for, into `dist`.
 * @throws Error when something does not compile, or a chunk has something of ours in it.
 */
export function bundle(project: Project): Promise<Bundled>

/**
 * Bundles, then again after every change of a source file.
 * @param project `onChange` is called after every bundling but the first.
 * @returns ends the watch.
 */
export function watch(project: Project & { readonly onChange: () => void }): Promise<() => Promise<void>>

/** Loads a TypeScript module of ours into this process, whatever Node's version; nothing is written. */
export function loadTypeScript(file: string): unknown
