/** Dates, times and durations as the API server reads them. */

/** `2006-01-02`, a day that there is. */
export function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (match === null) return false
  const [year, month, day] = match.slice(1).map(Number)
  if (year === undefined || month === undefined || day === undefined || month < 1 || month > 12) return false
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = month === 2 ? (isLeapYear ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
  return day >= 1 && day <= days
}

/** `2006-01-02T15:04:05Z`, in either case and with any character before the fractions of a second, as the server has it. */
export function isDateTime(text: string): boolean {
  const [date, time] = text.toLowerCase().split('t')
  if (date === undefined || time === undefined || !isDate(date)) return false
  const match = /^(\d{2}):(\d{2}):(\d{2})([^\n]\d+)?(z|([+-]\d{2}:\d{2}))$/u.exec(time)
  const [, hour = '', minute = '', second = ''] = match ?? []
  return match !== null && hour <= '23' && minute <= '59' && second <= '59'
}

/**
 * A time in metadata, as the API server writes it again; undefined for what it refuses. RFC 3339, with seconds.
 */
export function metadataTime(text: string): string | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,]\d+)?(Z|[+-](\d{2}):(\d{2}))$/.exec(text)
  const [, date = '', hour = '', minute = '', second = '', zone = '', zoneHour = '0', zoneMinute = '0'] = match ?? []
  if (match === null || !isDate(date) || hour > '23' || minute > '59' || second > '59') return undefined
  if (Number(zoneHour) > 24 || Number(zoneMinute) > 59) return undefined
  const instant = new Date(`${date}T${hour}:${minute}:${second}Z`).getTime()
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000 * (zone.startsWith('-') ? -1 : 1)
  return `${new Date(instant - offset).toISOString().slice(0, 19)}Z`
}

/** The names of units; the last of each also as the start of a longer word. */
const units = [
  ['ns', 'nano'],
  ['us', 'µs', 'micro'],
  ['ms', 'milli'],
  ['s', 'sec'],
  ['m', 'min'],
  ['h', 'hr', 'hour'],
  ['d', 'day'],
  ['w', 'wk', 'week'],
]

/** As Go writes durations, or with at least one number before a unit anywhere in it. */
export function isDuration(text: string): boolean {
  if (/^[-+]?0$/.test(text)) return true
  if (/^[-+]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return true
  const parts = [...text.matchAll(/(\d+)[\t\n\f\r ]*([A-Za-zµ]+)/g)]
  if (parts.some(([, count = '']) => Number(count) >= 2 ** 63)) return false
  return parts.some(([, , name = '']) => {
    const unit = name.toLowerCase()
    return units.some((names) => names.includes(unit) || unit.startsWith(names.at(-1) ?? unit))
  })
}
