/** The manifest of the commands. The bundle carries it ready-made in this module's place (see scripts/build.ts). */
import { type CommandManifest, type CommandTable, describeCommands } from './command-table.ts'

/** From source: made by loading every command. */
export const commandManifest = async (table: CommandTable): Promise<CommandManifest> => describeCommands(table)
