/** Holds a control plane until it is killed; prints its directory. For the tests of what stays behind. */
import { startControlPlane } from './control-plane.ts'

const controlPlane = await startControlPlane()
process.stdout.write(`${controlPlane.dir}\n`)
setInterval(() => {}, 60_000)
