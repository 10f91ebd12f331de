// Bundles functions/<name>.ts to dist/<name>.cjs, one file for each function, since what is loaded at a cold start is
// what it costs. What only some configurations need is imported dynamically in lib and becomes dist/chunks/<name>.cjs,
// required from beside the bundle when it is asked for. A chunk holds a library and nothing of ours: two copies of a
// class of ours would not be `instanceof` each other.
// `.cjs` is the one extension that Lambda, `invoke local` and serverless-offline all load from this ES module package.

const Module = require('node:module')
const path = require('node:path')
const esbuild = require('esbuild')

/** Where bundles go, from the project's root. */
const OUT = 'dist'
const CHUNKS = 'chunks'

/** esbuild's options for everything that is deployed. */
const OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  outdir: OUT,
  outExtension: { '.js': '.cjs' },
  // Libraries' ES module builds shed what is not used; their CommonJS builds don't.
  mainFields: ['module', 'main'],
  // A plain require of a chunk: `import()` would start the ES module loader for it.
  supported: { 'dynamic-import': false },
  minify: true,
  legalComments: 'none',
  sourcemap: 'linked',
  metafile: true,
  // Errors are thrown; a watch, which can't throw, writes them.
  logLevel: 'silent',
}

async function bundle({ root, functions }) {
  const chunks = new Map()
  const { metafile } = await esbuild.build(functionOptions(root, functions, chunks))
  const chunkMetafile = await buildChunks(root, chunks)
  const files = functions.map(name => [name, filesOf(name, metafile)])
  return { files: Object.fromEntries(files), metafile: merge(metafile, chunkMetafile) }
}

async function watch({ root, functions, onChange }) {
  const chunks = new Map()
  const options = functionOptions(root, functions, chunks)
  let isFirst = true
  let context
  // A watch begins with a build of its own; another one before it would be told of as a change.
  const first = new Promise((resolve, reject) => {
    const onEnd = async ({ errors }) => {
      if (errors.length > 0) return reject(new Error(errors.map(({ text }) => text).join('; ')))
      await buildChunks(root, chunks)
      if (!isFirst) onChange()
      isFirst = false
      resolve()
    }
    const plugins = [...options.plugins, { name: 'after-bundling', setup: build => build.onEnd(onEnd) }]
    context = esbuild.context({ ...options, plugins, logLevel: 'error' })
    context.then(started => started.watch()).catch(reject)
  })
  const stop = async () => (await context).dispose()
  await first.catch(async error => {
    await stop()
    throw error
  })
  return stop
}

function functionOptions(root, functions, chunks) {
  const entryPoints = Object.fromEntries(functions.map(name => [name, path.join(root, 'functions', `${name}.ts`)]))
  return { ...OPTIONS, absWorkingDir: root, entryPoints, plugins: [leaveOutChunks(chunks)] }
}

/** Notes every dynamic import of a file of ours in `chunks` and leaves it out of the bundle. */
function leaveOutChunks(chunks) {
  const resolve = ({ kind, path: asked, resolveDir }) => {
    if (kind !== 'dynamic-import' || resolveDir.includes('node_modules')) return undefined
    const name = path.basename(asked, path.extname(asked))
    const source = path.resolve(resolveDir, asked)
    if ((chunks.get(name) ?? source) !== source)
      return { errors: [{ text: `two chunks are named ${name}: ${source} and ${chunks.get(name)}; rename one` }] }
    chunks.set(name, source)
    return { path: `./${CHUNKS}/${name}.cjs`, external: true }
  }
  return { name: 'chunks', setup: build => build.onResolve({ filter: /^\.\.?\// }, resolve) }
}

async function buildChunks(root, chunks) {
  const entryPoints = Object.fromEntries([...chunks].map(([name, source]) => [`${CHUNKS}/${name}`, source]))
  const { metafile } = await esbuild.build({ ...OPTIONS, absWorkingDir: root, entryPoints })
  for (const [output, { entryPoint, inputs }] of Object.entries(metafile.outputs)) {
    const ours = Object.keys(inputs).filter(input => input !== entryPoint && !input.includes('node_modules/'))
    if (ours.length > 0)
      throw new Error(`${output} may hold a library and nothing of ours, but ${entryPoint} imports ${ours.join(', ')}`)
  }
  return metafile
}

function filesOf(name, { outputs }) {
  const main = `${OUT}/${name}.cjs`
  const chunks = outputs[main].imports.map(({ path: to }) => to).filter(to => to.startsWith(`./${CHUNKS}/`))
  return [main, ...[...new Set(chunks)].sort().map(chunk => path.posix.join(OUT, chunk))]
}

function merge(one, other) {
  return { inputs: { ...one.inputs, ...other.inputs }, outputs: { ...one.outputs, ...other.outputs } }
}

function loadTypeScript(file) {
  const options = { entryPoints: [file], bundle: true, platform: 'node', target: 'node20', format: 'cjs', write: false }
  const { outputFiles } = esbuild.buildSync({ ...options, mainFields: OPTIONS.mainFields })
  const loaded = new Module(file, module)
  loaded._compile(outputFiles[0].text, file)
  return loaded.exports
}

module.exports = { bundle, watch, loadTypeScript }
