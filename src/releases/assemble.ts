/** A release out of its files: objects with their roles, images pinned, shims, compatibility. Pure. */
import { createHash } from 'node:crypto'
import type { AnyObject, Deployment } from '../kubernetes/objects.ts'
import { knownReleases } from './data.ts'
import type { KnownRelease } from './data.types.ts'
import { ReleaseError } from './errors.ts'
import { parseManifests } from './manifests.ts'
import { pinController, pinnedAsNamed, pinShim } from './pinning.ts'
import { productOfImage } from './products.ts'
import type { Compatibility, Product, Release, ReleaseShim } from './release.types.ts'
import { parseReleaseFile, type ReleaseFile } from './release-file.ts'
import { componentImage, isController, isDeployment, isShim, roleOf } from './roles.ts'
import type { SourceFiles } from './source-files.ts'
import { readVersionText } from './versions.ts'

/** What decides which images run. */
export interface ImageChoices {
  /** `--registry` */
  registry?: string | undefined
  /** `--image NAME=REF`: by `controller` or a shim's name */
  images?: Record<string, string> | undefined
  /** images that run now, by the same names: they tell which registry is in use */
  running?: Record<string, string> | undefined
}

interface Context extends ImageChoices {
  version: string
  product: Product
}

/**
 * Makes a Release of texts. Shims whose image nobody names stay as written and get no `pinnedImage`.
 * Throws ReleaseError where the files contradict the version or the product, or hold no controller.
 */
export function assembleRelease(files: SourceFiles, context: Context): Release {
  const { version, product } = context
  const release = files.release === undefined ? { shims: {} } : parseReleaseFile(files.release.text, files.release.name)
  refuseContradiction(release, files, context)
  const objects = parseManifests(files.install.text, files.install.name)
  const controller = findController(objects, files, context)
  const image = imageOf(controller, product, 'controller', product.controller.container)
  refuseOtherTag(image, version, files.install.name)
  const known = knownReleases().releases.find((row) => row.product === product.name && row.version === version)
  const shims = files.shims.map(({ shim, file }) =>
    readShim(shim, file.name, parseManifests(file.text, file.name), product),
  )
  const pinnedImage = pinnedController(image, context)
  refuseUnknownNames(context, shims)
  const compatibility = release.compatibility ?? compatibilityOf(known)
  const providerConfigs = release.providerConfigs ?? known?.providerConfigs
  return {
    product,
    version,
    source: files.source,
    digest: digestOf(files),
    objects: objects.map((object) => ({
      role: roleOf(object, product),
      object: object === controller ? withImage(controller, image, pinnedImage) : object,
    })),
    controller: { ref: referenceOf(controller), image, pinnedImage },
    shims: shims.map((shim) => pinned(shim, { ...known?.shims, ...release.shims }[shim.name], context)),
    ...(compatibility === undefined ? {} : { compatibility }),
    ...(providerConfigs === undefined ? {} : { providerConfigs }),
  }
}

function refuseContradiction(release: ReleaseFile, files: SourceFiles, { version, product }: Context): void {
  const name = files.release?.name ?? ''
  if (release.version !== undefined && release.version !== version) {
    throw new ReleaseError('wrong-version', `${files.source} is ${release.version}, not ${version}`, {
      why: `${name} says version: ${release.version}`,
      next: `use --to ${release.version}, or the files of ${version}`,
    })
  }
  if (release.product !== undefined && release.product !== product.name) {
    throw new ReleaseError('wrong-product', `${files.source} is a release of ${release.product}`, {
      why: `${name} says product: ${release.product}, and ${product.name} is installed`,
      next: `give the files of a release of ${product.title} with --source`,
    })
  }
}

/** A manifest that is pinned already says itself which version it is. */
function refuseOtherTag(image: string, version: string, file: string): void {
  const tag = productOfImage(image)?.tag
  const text = tag === undefined ? undefined : readVersionText(tag)
  if (text === undefined || 'why' in text || `v${text.version}` === version) return
  throw new ReleaseError('wrong-version', `${file} is the manifest of v${text.version}, not ${version}`, {
    why: `its controller has the image ${image}`,
    next: `use --to v${text.version}, or the manifest of ${version}`,
  })
}

function findController(
  objects: AnyObject[],
  files: SourceFiles,
  { version, product }: Context,
): AnyObject & Deployment {
  const deployments = objects.filter(isDeployment)
  const controllers = deployments.filter((deployment) => isController(deployment, product))
  const [controller, second] = controllers
  if (controller !== undefined && second === undefined) return controller
  if (second !== undefined) {
    throw new ReleaseError('not-a-release', `${files.install.name} has ${controllers.length} controllers`, {
      why: controllers.map((deployment) => deployment.metadata.name).join(', '),
      next: 'give a manifest with the one controller of the release',
    })
  }
  const images = deployments.flatMap((deployment) =>
    deployment.spec.template.spec.containers.map((one) => one.image ?? ''),
  )
  const other = images.map((image) => productOfImage(image)).find((found) => found?.component === 'controller')
  if (other !== undefined && other.product.group !== product.group) {
    throw new ReleaseError('wrong-product', `${files.install.name} is a release of ${other.product.title}`, {
      why: `its controller is of the API group ${other.product.group}, and ${product.title} (${product.group}) is installed`,
      next: `give the files of a release of ${product.title} with --source`,
    })
  }
  throw new ReleaseError('no-controller', `${files.install.name} holds no controller of ${product.title} ${version}`, {
    why: `no Deployment has an image that ends with ${product.controller.imageSuffix} or the name ${product.controller.deployment}`,
    next: 'give the files of the release with --source',
  })
}

function readShim(name: string, file: string, objects: AnyObject[], product: Product): ReleaseShim {
  const deployment = objects.filter(isDeployment).find((candidate) => isShim(candidate, product, name))
  if (deployment === undefined) {
    throw new ReleaseError('not-a-release', `${file} holds no Deployment of the shim ${name}`, {
      why: 'a shim file beside the manifest has to hold the shim it is named for',
      next: 'correct or remove the file',
    })
  }
  return { name, file, objects, image: imageOf(deployment, product, name, 'manager') }
}

function pinnedController(image: string, context: Context): string {
  const named = context.images?.['controller']
  if (named !== undefined) return pinnedAsNamed(named)
  return pinController(image, context.version, { registry: context.registry, running: context.running?.['controller'] })
}

function pinned(shim: ReleaseShim, known: string | undefined, context: Context): ReleaseShim {
  const named = context.images?.[shim.name]
  const registries = { registry: context.registry, running: context.running?.[shim.name] }
  const image =
    named !== undefined ? pinnedAsNamed(named) : known === undefined ? undefined : pinShim(known, registries)
  if (image === undefined) return shim
  const objects = shim.objects.map((object) => (isDeployment(object) ? withImage(object, shim.image, image) : object))
  return { ...shim, objects, pinnedImage: image }
}

/** A misspelt name would silently leave an image as it is. */
function refuseUnknownNames({ images, product }: Context, shims: ReleaseShim[]): void {
  const names = ['controller', ...shims.map((shim) => shim.name)]
  const unknown = Object.keys(images ?? {}).find((name) => !names.includes(name))
  if (unknown === undefined) return
  throw new ReleaseError('bad-image', `--image ${unknown}=... names no part of this release of ${product.title}`, {
    why: `it has ${names.join(', ')}`,
    next: 'correct the name, or leave it out',
  })
}

/** The image of a component's container: by its image, else the container of that name, else the only one. */
function imageOf(deployment: Deployment, product: Product, component: string, container: string): string {
  const { containers } = deployment.spec.template.spec
  const byImage = componentImage(deployment, product, component)
  const byName =
    containers.find((candidate) => candidate.name === container) ??
    (containers.length === 1 ? containers[0] : undefined)
  const image = byImage ?? byName?.image
  if (image !== undefined) return image
  throw new ReleaseError(
    'not-a-release',
    `Deployment ${deployment.metadata.name} has no container that is the ${component}`,
    {
      why: `looked for the container ${container}`,
      next: 'give the files of the release with --source',
    },
  )
}

function withImage(deployment: AnyObject & Deployment, image: string, replacement: string): AnyObject {
  const { template } = deployment.spec
  const containers = template.spec.containers.map((container) =>
    container.image === image ? { ...container, image: replacement } : container,
  )
  const spec = { ...deployment.spec, template: { ...template, spec: { ...template.spec, containers } } }
  return { ...deployment, spec }
}

function referenceOf({ apiVersion, kind, metadata }: AnyObject): Release['controller']['ref'] {
  const { namespace, name } = metadata
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) }
}

function compatibilityOf(known: KnownRelease | undefined): Compatibility | undefined {
  if (known?.providers === undefined) return undefined
  return { source: `what is known of ${known.version}`, rows: [], providers: known.providers }
}

/** Of contents and their use, not of paths: the same release has the same digest wherever it was read. */
function digestOf(files: SourceFiles): string {
  const hash = createHash('sha256')
  const texts: [string, string | undefined][] = [
    ['install', files.install.text],
    ['release', files.release?.text],
    ...files.shims.map(({ shim, file }): [string, string] => [`shim ${shim}`, file.text]),
  ]
  for (const [use, text] of texts) if (text !== undefined) hash.update(`${use} ${Buffer.byteLength(text)}\n${text}`)
  return hash.digest('hex')
}
