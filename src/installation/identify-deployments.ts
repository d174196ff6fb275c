/** What a Deployment is: a controller of the product, one of its shims, a provider operator, or none of these. Pure. */
import type { Container, Deployment } from '../kubernetes/objects.ts'
import type { OperatorFlavour, OperatorRow } from '../releases/data.types.ts'
import { hasSuffix, parseImage } from '../releases/image-reference.ts'
import { productOfImage } from '../releases/products.ts'
import type { Product } from '../releases/release.types.ts'

export type IdentifiedDeployment =
  | { kind: 'controller'; product: Product; deployment: Deployment; image: string }
  | { kind: 'shim'; product: Product; name: string; deployment: Deployment; image: string }
  | {
      kind: 'operator'
      row: OperatorRow
      flavour: OperatorFlavour
      deployment: Deployment
      container: Container | undefined
    }

/**
 * Identifies a Deployment by its images first, since these survive other names, labels and namespaces, then by its name in the
 * product's namespace (a mirror may rename images), then by an operator's labels. Undefined for everything else.
 */
export function identifyDeployment(
  deployment: Deployment,
  products: Product[],
  operators: OperatorRow[],
): IdentifiedDeployment | undefined {
  return byImage(deployment, products) ?? byName(deployment, products) ?? operatorOf(deployment, operators)
}

function byImage(deployment: Deployment, products: Product[]): IdentifiedDeployment | undefined {
  for (const { image } of deployment.spec.template.spec.containers) {
    if (image === undefined) continue
    const found = productOfImage(image, products)
    if (found === undefined) continue
    // A mirror's image may match the rows of two periods; then the Deployment's name decides.
    const named = products.find((product) => {
      const isNamed = nameOf(product, found.component) === deployment.metadata.name
      return isNamed && productOfImage(image, [product])?.component === found.component
    })
    return identified(deployment, named ?? found.product, found.component, image)
  }
  return undefined
}

function byName(deployment: Deployment, products: Product[]): IdentifiedDeployment | undefined {
  const { name, namespace } = deployment.metadata
  for (const product of products.filter((candidate) => candidate.namespace === namespace)) {
    const component = ['controller', ...product.shims.map((shim) => shim.name)].find(
      (candidate) => nameOf(product, candidate) === name,
    )
    if (component === undefined) continue
    const { containers } = deployment.spec.template.spec
    const container =
      containers.find((candidate) => candidate.name === product.controller.container) ??
      (containers.length === 1 ? containers[0] : undefined)
    if (container?.image !== undefined) return identified(deployment, product, component, container.image)
  }
  return undefined
}

function identified(deployment: Deployment, product: Product, component: string, image: string): IdentifiedDeployment {
  if (component === 'controller') return { kind: 'controller', product, deployment, image }
  return { kind: 'shim', product, name: component, deployment, image }
}

function nameOf(product: Product, component: string): string | undefined {
  if (component === 'controller') return product.controller.deployment
  return product.shims.find((shim) => shim.name === component)?.deployment
}

function operatorOf(deployment: Deployment, operators: OperatorRow[]): IdentifiedDeployment | undefined {
  const { containers } = deployment.spec.template.spec
  const labels = deployment.metadata.labels ?? {}
  for (const row of operators) {
    const withImage = containers.find((container) => hasOperatorImage(container, row))
    for (const flavour of row.flavours) {
      if (!Object.entries(flavour.labels).every(([name, value]) => labels[name] === value)) continue
      const container = containers.find(({ name }) => name === flavour.container) ?? withImage
      // A label such as name=workspace is not KAITO's alone, so a container has to fit as well; the add-on's name is unmistakable.
      if (container === undefined && flavour.managedBy === undefined) continue
      return { kind: 'operator', row, flavour, deployment, container: container ?? onlyOne(containers) }
    }
    const [flavour] = row.flavours
    if (withImage !== undefined && flavour !== undefined) {
      return { kind: 'operator', row, flavour, deployment, container: withImage }
    }
  }
  return undefined
}

function hasOperatorImage({ image }: Container, row: OperatorRow): boolean {
  const reference = image === undefined ? undefined : parseImage(image)
  return reference !== undefined && row.imageSuffixes.some((suffix) => hasSuffix(reference.repository, suffix))
}

function onlyOne(containers: Container[]): Container | undefined {
  return containers.length === 1 ? containers[0] : undefined
}
