/** Whether an object may be refused because it has a field at all, as it has from the first read on where a default fills it in. */
import type { JSONSchema } from '../comparison.types.ts'
import { isSchema, listOf, propertiesOf, schemaOf, stringsOf } from '../schema-reading.ts'

/** Can an object that lacks the field be valid, and the same object with it be refused, by words about which fields there are? */
export function isRefusedFor(name: string, schema: JSONSchema): boolean {
  if (typeof schema['maxProperties'] === 'number') return true
  if (listOf(schema['x-kubernetes-validations']).some((rule) => asksFor(name, schemaOf(rule)['rule']))) return true
  return (
    listOf(schema['oneOf']).some((branch) => looksAt(name, schemaOf(branch))) ||
    looksAt(name, schemaOf(schema['not'])) ||
    ['allOf', 'anyOf'].some((word) => listOf(schema[word]).some((branch) => isRefusedFor(name, schemaOf(branch))))
  )
}

function asksFor(name: string, expression: unknown): boolean {
  if (typeof expression !== 'string') return false
  return [...expression.matchAll(/\bhas\(\s*self\.(\w+)\s*\)/g)].some(([, field]) => field === name)
}

function looksAt(name: string, branch: JSONSchema): boolean {
  const counts = ['minProperties', 'maxProperties'].some((word) => typeof branch[word] === 'number')
  const names = stringsOf(branch['required']).includes(name) || propertiesOf(branch).has(name)
  const inner = [...['allOf', 'anyOf', 'oneOf'].flatMap((word) => listOf(branch[word])), branch['not']].filter(isSchema)
  return counts || names || inner.some((one) => looksAt(name, one))
}
