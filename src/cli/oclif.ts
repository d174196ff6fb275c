/**
 * oclif, configured from values alone. In a module of its own that is imported lazily: packages in CommonJS must be imported
 * statically (a bundle that is split loses the names of a dynamic import), and a start that needs no oclif must not pay for it.
 */
import type { Interfaces } from '@oclif/core'
import { Config } from '@oclif/core/config'
import { type CommandManifest, loadCommand } from './command-table.ts'
import { AirunwayHelp } from './help.ts'
import type { StartInput } from './start.ts'

/** Help on a command or topic, or the front page, on stdout. */
export const showHelp = async (input: StartInput, manifest: CommandManifest, id: string | undefined): Promise<void> => {
  const config = await loadConfig(input, manifest)
  await new AirunwayHelp(config).showHelp(id === undefined ? [] : [id])
}

/** Runs the command; what it throws it has rendered itself, unless it could not even be loaded. */
export const runCommand = async (
  input: StartInput,
  manifest: CommandManifest,
  id: string,
  argv: string[],
): Promise<void> => {
  const config = await loadConfig(input, manifest)
  await config.runCommand(id, argv)
}

/**
 * oclif's configuration from values alone: no discovery of plugins in folders or in the user's data directory, because
 * what runs here holds cluster credentials.
 */
const loadConfig = async (input: StartInput, manifest: CommandManifest): Promise<Interfaces.Config> => {
  const plugin = pluginOf(input, manifest)
  return Config.load({
    root: input.root,
    pjson: plugin.pjson,
    plugins: new Map([[plugin.name, plugin]]),
    userPlugins: false,
    devPlugins: false,
  })
}

/** Users type spaces between a command's words; AIRUNWAY_ is the prefix of variables, and caches lie in a folder `airunway`. */
const settings = { topicSeparator: ' ' as const, binAliases: ['airunway'], dirname: 'airunway' }

const pluginOf = (input: StartInput, manifest: CommandManifest): Interfaces.Plugin => {
  const { name, version } = input.pjson
  const ids = Object.keys(manifest)
  const topics = [...new Set(ids.filter((id) => id.includes(':')).map((id) => id.slice(0, id.indexOf(':'))))]
  return {
    _base: '',
    alias: name,
    name,
    version,
    root: input.root,
    pjson: { ...input.pjson, oclif: { ...input.pjson.oclif, ...settings } },
    type: 'core',
    moduleType: 'module',
    isRoot: true,
    valid: true,
    hasManifest: true,
    hooks: {},
    commandsDir: undefined,
    commandIDs: ids,
    options: { root: input.root },
    topics: topics.map((topic) => ({ name: topic, description: input.pjson.oclif.topics?.[topic]?.description ?? '' })),
    commands: Object.values(manifest).map((command) => ({
      ...command,
      pluginName: name,
      pluginType: 'core',
      load: () => loadCommand(input.commands, command.id),
    })),
    findCommand: (id: string) => loadCommand(input.commands, id),
    load: async () => {},
  }
}
