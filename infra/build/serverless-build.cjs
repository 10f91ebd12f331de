// The Serverless plugin: bundles the functions before they are packaged, invoked or run locally, and refuses to package
// a service whose time limits, schedules and settings don't agree.
// A local run takes every setting from the shell; what is deployed takes none from it.

const path = require('node:path')
const { bundle, loadTypeScript, watch } = require('./bundle.cjs')

class ServerlessBuild {
  constructor(serverless, _options, { log }) {
    this.serverless = serverless
    this.log = log
    const forDeployment = () => this.package()
    const forOffline = () => this.watch()
    this.hooks = {
      initialize: () => this.isLocal && this.takeSettings(),
      'before:invoke:local:invoke': () => this.bundle(),
      'before:offline:start': forOffline,
      'before:offline:start:init': forOffline,
      'before:package:createDeploymentArtifacts': forDeployment,
      'before:deploy:function:packageFunction': forDeployment,
    }
  }

  get project() {
    const { service, serviceDir } = this.serverless
    return { root: serviceDir, functions: service.getAllFunctions() }
  }

  get isLocal() {
    const [command, subcommand] = this.serverless.processedInput.commands
    return command === 'offline' || (command === 'invoke' && subcommand === 'local')
  }

  /** Bundles, and puts into each function's package its bundle and chunks, and nothing else. */
  async package() {
    this.check()
    const files = await this.bundle()
    for (const name of this.project.functions)
      this.serverless.service.getFunction(name).package = { patterns: ['!**', ...files[name]] }
  }

  async bundle() {
    const beganAtMs = performance.now()
    const { files } = await bundle(this.project)
    this.log.notice(`Bundled ${Object.keys(files).join(', ')} in ${Math.round(performance.now() - beganAtMs)} ms`)
    return files
  }

  async watch() {
    await watch({
      ...this.project,
      onChange: () => {
        this.log.notice('Bundled again; the next invocations run the new code')
        void this.serverless.pluginManager
          .spawn('offline:functionsUpdated')
          .catch(error => this.log.error(error.message))
      },
    })
  }

  check() {
    const problems = this.project.functions.flatMap(name => this.rules.problemsOf(this.declarationOf(name)))
    if (problems.length > 0)
      throw new this.serverless.classes.Error(`The service is not packaged:\n${problems.join('\n')}`, 'FENCEPOST_CHECK')
  }

  declarationOf(name) {
    const { provider } = this.serverless.service
    const { timeout, maximumEventAge, events, environment } = this.serverless.service.getFunction(name)
    return {
      name,
      timeoutSeconds: timeout,
      maximumEventAgeSeconds: maximumEventAge,
      schedules: events.flatMap(({ schedule }) => schedule?.rate ?? schedule ?? []),
      environment: { ...provider.environment, ...environment },
      vpc: provider.vpc,
    }
  }

  takeSettings() {
    const { environment } = this.serverless.service.provider
    for (const name of this.rules.SETTING_NAMES)
      if (process.env[name] !== undefined) environment[name] = process.env[name]
  }

  get rules() {
    this.loaded ??= loadTypeScript(path.join(__dirname, 'check.ts'))
    return this.loaded
  }
}

module.exports = ServerlessBuild
