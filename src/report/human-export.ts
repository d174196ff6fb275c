/** What was exported, and a record itself. */
import type { RunExport, RunRecord } from '../services/export-run.ts'
import { sign, type TextStyle } from './style.ts'

/** `12 kB`, `4.2 MB`: rounded up. */
export const sizeOf = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${Math.ceil(bytes / 100_000) / 10} MB`

/** One line that says where it is and what to be careful with. */
export const renderExport = ({ run, file, bytes }: RunExport, style: TextStyle): string =>
  `${sign(style, 'passed')} Run ${run} is in ${file} (${sizeOf(bytes)}). It may hold Secrets: only its owner can read it (mode 0600).\n`

/** A record has no form for people but its own. */
export const renderRecord = (record: RunRecord): string => `${JSON.stringify(record, null, 2)}\n`
