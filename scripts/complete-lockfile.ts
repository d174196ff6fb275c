/**
 * Adds to package-lock.json the platform packages that the registry at hand does not hold. `npm install` leaves out optional
 * packages that it cannot find, and `npm ci` then refuses the lockfile on every machine. Run it after npm has made the lockfile.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Lockfile, withPlatforms } from './lockfile.ts'

const file = join(import.meta.dirname, '..', 'package-lock.json')
const { lockfile, added } = withPlatforms(JSON.parse(readFileSync(file, 'utf8')) as Lockfile)
writeFileSync(file, `${JSON.stringify(lockfile, null, 2)}\n`)
console.log(added.length === 0 ? 'package-lock.json is complete' : `added to package-lock.json: ${added.join(', ')}`)
