/** What each object of a release is for. Pure. */
import type { AnyObject, Deployment } from '../kubernetes/objects.ts'
import { productOfImage } from './products.ts'
import type { ObjectRole, Product } from './release.types.ts'

/** Roles by kind; what is told by name or image is not here. */
const roleOfKind = new Map<string, ObjectRole>([
  ['Namespace', 'namespace'],
  ['CustomResourceDefinition', 'crd'],
  ['ServiceAccount', 'access'],
  ['Role', 'access'],
  ['ClusterRole', 'access'],
  ['RoleBinding', 'access'],
  ['ClusterRoleBinding', 'access'],
  ['Service', 'service'],
  ['MutatingWebhookConfiguration', 'webhookConfiguration'],
  ['ValidatingWebhookConfiguration', 'webhookConfiguration'],
])

/** The role of one object of a product's install file; it decides when and how the object is applied. */
export function roleOf(object: AnyObject, product: Product): ObjectRole {
  if (isDeployment(object)) return isController(object, product) ? 'controller' : 'other'
  if (object.kind === 'Secret') {
    return object.metadata.name === product.controller.webhookSecret ? 'webhookSecret' : 'other'
  }
  return roleOfKind.get(object.kind) ?? 'other'
}

/** Is this Deployment the product's controller? By its image, or by its name where the image was renamed by a mirror. */
export function isController(deployment: Deployment, product: Product): boolean {
  if (componentImage(deployment, product, 'controller') !== undefined) return true
  return deployment.metadata.name === product.controller.deployment
}

/** Is this Deployment the shim of that name? By its image, or by its name. */
export function isShim(deployment: Deployment, product: Product, name: string): boolean {
  if (componentImage(deployment, product, name) !== undefined) return true
  return product.shims.some((shim) => shim.name === name && shim.deployment === deployment.metadata.name)
}

/** The image of the container that runs a component of the product; undefined where no container does, by its image. */
export function componentImage(deployment: Deployment, product: Product, component: string): string | undefined {
  return deployment.spec.template.spec.containers
    .map((container) => container.image)
    .find((image) => image !== undefined && productOfImage(image, [product])?.component === component)
}

/** Has the object the form of a Deployment? */
export function isDeployment(object: AnyObject): object is AnyObject & Deployment {
  const { spec } = object
  if (object.kind !== 'Deployment' || typeof spec !== 'object' || spec === null || !('template' in spec)) return false
  const { template } = spec
  if (typeof template !== 'object' || template === null || !('spec' in template)) return false
  const { spec: pod } = template
  return typeof pod === 'object' && pod !== null && 'containers' in pod && Array.isArray(pod.containers)
}
