/**
 * Conversion of ModelDeployments between v1alpha1 and v1beta1, and between v1beta1 and v1, lossless both ways:
 * - `engine.contextLength` is named `engine.maxModelLength` in v1beta1;
 * - the single `resources.gpu` is the list `resources.accelerators` in v1beta1;
 * - `engine.enablePrefixCaching` defaults to false in v1alpha1 and to true in v1beta1: an object keeps the value its own
 *   version gave it, because the conversion writes it out;
 * - what only v1beta1 has is kept in an annotation of the v1alpha1 object, and put back on the way up;
 * - `image` of v1beta1 is `engine.image` in v1.
 * A lossy one keeps nothing in annotations.
 */
import type { Accelerator, ModelDeployment, ModelDeploymentSpec } from './model-deployment.ts'

/** Data of v1beta1 that v1alpha1 has no field for. */
interface Stash {
  accelerators?: Accelerator[]
  extraArgs?: unknown
  strategy?: unknown
}

export const stashAnnotation = (group: string): string => `${group}/v1beta1-data`

/**
 * Converts one object; returns it as it is where it has the wanted version. `lossy` forgets what v1alpha1 has no field
 * for. Throws an Error for an unknown version.
 */
export function convertModelDeployment(
  object: ModelDeployment,
  desiredApiVersion: string,
  options: { lossy: boolean } = { lossy: false },
): ModelDeployment {
  if (object.apiVersion === desiredApiVersion) return object
  const [group = '', from] = object.apiVersion.split('/')
  const [desiredGroup, to] = desiredApiVersion.split('/')
  if (group === desiredGroup && from === 'v1alpha1' && to === 'v1beta1') return toBeta(object, group)
  if (group === desiredGroup && from === 'v1beta1' && to === 'v1alpha1') return toAlpha(object, group, options.lossy)
  if (group === desiredGroup && from === 'v1beta1' && to === 'v1') return toStable(object, group)
  if (group === desiredGroup && from === 'v1' && to === 'v1beta1') return fromStable(object, group)
  throw new Error(`cannot convert ${object.apiVersion} to ${desiredApiVersion}`)
}

function toBeta(object: ModelDeployment, group: string): ModelDeployment {
  const { stash, metadata } = takeStash(object, stashAnnotation(group))
  const { engine = {}, resources, scaling, ...rest } = object.spec
  const { contextLength, enablePrefixCaching, ...otherEngine } = engine
  const spec: ModelDeploymentSpec = {
    ...rest,
    engine: {
      ...otherEngine,
      enablePrefixCaching: enablePrefixCaching ?? false,
      ...(contextLength === undefined ? {} : { maxModelLength: contextLength }),
      ...(stash.extraArgs === undefined ? {} : { extraArgs: stash.extraArgs }),
    },
  }
  const { gpu, ...otherResources } = resources ?? {}
  const accelerators = acceleratorsOf(gpu, stash.accelerators)
  if (resources || accelerators) spec.resources = { ...otherResources, ...(accelerators ? { accelerators } : {}) }
  if (scaling || stash.strategy !== undefined) {
    spec.scaling = { ...scaling, ...(stash.strategy === undefined ? {} : { strategy: stash.strategy }) }
  }
  return { ...object, apiVersion: `${group}/v1beta1`, metadata, spec }
}

/** The stashed list, its first entry brought up to date by what v1alpha1 clients wrote since. */
function acceleratorsOf(gpu: Accelerator | undefined, stashed: Accelerator[] | undefined): Accelerator[] | undefined {
  if (gpu) return [{ ...stashed?.[0], ...gpu }, ...(stashed ?? []).slice(1)]
  return stashed?.slice(1)
}

function toStable(object: ModelDeployment, group: string): ModelDeployment {
  const { image, ...rest } = object.spec
  const spec = image === undefined ? rest : { ...rest, engine: { ...rest.engine, image } }
  return { ...object, apiVersion: `${group}/v1`, spec }
}

function fromStable(object: ModelDeployment, group: string): ModelDeployment {
  const { engine: { image, ...engine } = {}, ...rest } = object.spec
  const spec: ModelDeploymentSpec = {
    ...rest,
    ...(object.spec.engine ? { engine } : {}),
    ...(image === undefined ? {} : { image }),
  }
  return { ...object, apiVersion: `${group}/v1beta1`, spec }
}

function toAlpha(object: ModelDeployment, group: string, lossy: boolean): ModelDeployment {
  const { engine = {}, resources, scaling, ...rest } = object.spec
  const { maxModelLength, enablePrefixCaching, extraArgs, ...otherEngine } = engine
  const { accelerators, ...otherResources } = resources ?? {}
  const { strategy, ...otherScaling } = scaling ?? {}
  const spec: ModelDeploymentSpec = {
    ...rest,
    engine: {
      ...otherEngine,
      enablePrefixCaching: enablePrefixCaching ?? true,
      ...(maxModelLength === undefined ? {} : { contextLength: maxModelLength }),
    },
  }
  if (resources) spec.resources = { ...otherResources, ...gpuOf(accelerators?.[0]) }
  if (scaling) spec.scaling = otherScaling
  const stash: Stash = {
    ...(accelerators && !fitsOneGpu(accelerators) ? { accelerators } : {}),
    ...(extraArgs === undefined ? {} : { extraArgs }),
    ...(strategy === undefined ? {} : { strategy }),
  }
  return {
    ...object,
    apiVersion: `${group}/v1alpha1`,
    metadata: lossy ? object.metadata : putStash(object, stashAnnotation(group), stash),
    spec,
  }
}

const gpuOf = (first: Accelerator | undefined): { gpu?: Accelerator } => {
  if (!first) return {}
  const { type, count } = first
  return { gpu: { ...(count === undefined ? {} : { count }), ...(type === undefined ? {} : { type }) } }
}

const fitsOneGpu = (accelerators: readonly Accelerator[]): boolean =>
  accelerators.length === 1 && Object.keys(accelerators[0] ?? {}).every((key) => key === 'type' || key === 'count')

function takeStash(
  object: ModelDeployment,
  annotation: string,
): { stash: Stash; metadata: ModelDeployment['metadata'] } {
  const { [annotation]: text, ...others } = object.metadata.annotations ?? {}
  const stash = text === undefined ? undefined : parseStash(text)
  // an annotation that is no stash is a user's own: it stays
  if (!stash) return { stash: {}, metadata: object.metadata }
  const { annotations: _, ...metadata } = object.metadata
  return { stash, metadata: Object.keys(others).length > 0 ? { ...metadata, annotations: others } : metadata }
}

function parseStash(text: string): Stash | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
    const { accelerators } = parsed as Stash
    return accelerators === undefined || Array.isArray(accelerators) ? parsed : undefined
  } catch {
    return undefined
  }
}

function putStash(object: ModelDeployment, annotation: string, stash: Stash): ModelDeployment['metadata'] {
  if (Object.keys(stash).length === 0) return object.metadata
  const annotations = { ...object.metadata.annotations, [annotation]: JSON.stringify(stash) }
  return { ...object.metadata, annotations }
}
