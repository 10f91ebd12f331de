// What a bundle is made of, by package.

/** A package, or a folder of ours, and what it takes in a bundle. */
export interface Content {
  readonly name: string
  readonly bytes: number
}

/**
 * Sums a bundle's inputs by package, greatest first; files of ours by their room.
 *
 * @param inputs of one output of esbuild's metafile.
 */
export function contentsOf(inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>): Content[] {
  const bytes = new Map<string, number>()
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const name = packageOf(path)
    bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput)
  }
  return [...bytes].map(([name, sum]) => ({ name, bytes: sum })).toSorted((a, b) => b.bytes - a.bytes)
}

/** The innermost package of a path, `@scope/name` or `name`; else the first two folders, e.g. `lib/tick`. */
export function packageOf(path: string): string {
  const inPackage = path.split('node_modules/').at(-1) as string
  if (inPackage === path) return path.split('/').slice(0, -1).slice(0, 2).join('/') || path
  return inPackage
    .split('/')
    .slice(0, inPackage.startsWith('@') ? 2 : 1)
    .join('/')
}
