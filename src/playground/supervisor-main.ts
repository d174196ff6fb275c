/** Entry of the supervisor's process: `node supervisor-main.ts DIRECTORY`. */
import { entries } from './entries.ts'
import { programFor } from './programs.ts'
import { supervise } from './supervisor.ts'

const directory = process.argv[2]
if (directory === undefined) throw new Error('the directory of the playground is missing')
void supervise(directory, (image) => (programFor(image) ? entries().standin : undefined))
