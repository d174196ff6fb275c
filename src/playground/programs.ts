/** Which images the playground runs a stand-in for. */
import { hasSuffix, parseImage } from '../releases/image-reference.ts'
import { productOfImage } from '../releases/products.ts'
import type { Product } from '../releases/release.types.ts'
import { versionOfTag } from './standins/traits.ts'

export type OperatorName = 'kaito' | 'kuberay' | 'dynamo'

export interface Program {
  kind: 'controller' | 'shim' | 'operator'
}

export interface ControllerProgram extends Program {
  kind: 'controller'
  product: Product
  /** without leading `v` */
  version: string
}

export interface ShimProgram extends Program {
  kind: 'shim'
  product: Product
  shim: Product['shims'][number]
  version: string
}

export interface OperatorProgram extends Program {
  kind: 'operator'
  operator: OperatorName
}

export type StandinProgram = ControllerProgram | ShimProgram | OperatorProgram

// repositories of the operators' own images; the second of KAITO is the one AI Runway v0.4 and v0.5 install
const operatorSuffixes: [suffix: string, operator: OperatorName][] = [
  ['aks/kaito/workspace', 'kaito'],
  ['kaito-workspace', 'kaito'],
  ['kuberay/operator', 'kuberay'],
  ['ai-dynamo/kubernetes-operator', 'dynamo'],
]

/**
 * The program that stands for an image: the controller or a shim of any known product name, or one of the provider
 * operators, on any registry. Undefined for every other image: its pods turn Ready without a process.
 */
export function programFor(image: string): StandinProgram | undefined {
  const known = productOfImage(image)
  if (known) {
    const version = versionOfTag(known.product, known.tag)
    if (known.component === 'controller') return { kind: 'controller', product: known.product, version }
    const shim = known.product.shims.find(({ name }) => name === known.component)
    return shim && { kind: 'shim', product: known.product, shim, version }
  }
  const repository = parseImage(image)?.repository
  const operator = operatorSuffixes.find(([suffix]) => repository !== undefined && hasSuffix(repository, suffix))
  return operator && { kind: 'operator', operator: operator[1] }
}
