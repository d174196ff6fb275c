/** Which product, and which part of it, a name or an image belongs to. */
import { satisfies } from 'semver'
import { productRows } from './data.ts'
import { hasSuffix, parseImage } from './image-reference.ts'
import type { Product } from './release.types.ts'

export interface ProductImage {
  product: Product
  /** `controller`, or the name of a shim */
  component: string
  tag?: string
  digest?: string
}

/** The names the product has gone by, newest last. Read-only rows of `data/products.yaml`. */
export function products(): Product[] {
  return productRows()
}

/**
 * Tells what an image is by the last segments of its repository, on any registry; undefined for every other image.
 * Where several rows match (a mirror of one period's image looks like another's), the longest match wins, then the first row.
 */
export function productOfImage(image: string, rows: Product[] = products()): ProductImage | undefined {
  const reference = parseImage(image)
  if (reference === undefined) return undefined
  const matches = rows
    .flatMap((product) => components(product).map((component) => ({ product, ...component })))
    .filter(({ imageSuffix }) => hasSuffix(reference.repository, imageSuffix))
    .toSorted((a, b) => b.imageSuffix.length - a.imageSuffix.length)
  const [best] = matches
  if (best === undefined) return undefined
  const { tag, digest } = reference
  return {
    product: best.product,
    component: best.name,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  }
}

/** Does the product bear its names in this version? Prereleases belong to the range of their release. */
export function bearsNamesIn(product: Product, version: string): boolean {
  return satisfies(version, product.versions, { includePrerelease: true })
}

function components(product: Product): { name: string; imageSuffix: string }[] {
  return [{ name: 'controller', imageSuffix: product.controller.imageSuffix }, ...product.shims]
}
