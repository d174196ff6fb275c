import type { Bump } from '../../../../src/crds/comparison/advice.types.ts'
import type { ComparisonContext, ProfileName } from '../../../../src/crds/comparison/comparison.types.ts'
import { definition } from './definitions.ts'
import {
  type Definition,
  documented,
  filled,
  moved,
  narrow,
  old,
  optional,
  plain,
  polite,
  removed,
  removedPolitely,
  renamed,
  required,
  retyped,
  spec,
  storage,
  text,
  v,
  withHook,
  within,
} from './policy-lines.ts'

/** One line: what is wanted under a profile, and the bump, the new version and the releases that do something. */
export type AdviceCase = [
  profile: ProfileName,
  what: string,
  before: Definition,
  wanted: Definition,
  bump: Bump,
  version: string | undefined,
  releases: number[],
  context?: Partial<ComparisonContext>,
]

const wide = spec({ x: { ...text, maxLength: 9 } })
const tight = spec({ x: { ...text, maxLength: 3 } })
const both = spec({ y: text, z: { type: 'integer' } }, { required: ['z'] })
const restructured = spec({ x: text, y: { type: 'object' } })
const beside = (first: string, second: string, schema: object, others: object = {}): [Definition, Definition] => [
  definition([v(first, plain)]),
  definition([v(first, plain), v(second, schema)], others),
]
const two = definition([v('v1alpha1', plain, old), v('v1alpha2', renamed)], withHook)
const twoWanted = definition([v('v1alpha1', plain, old), v('v1alpha2', spec({ z: text }))], withHook)
const twoOptional = definition([v('v1alpha1', plain, old), v('v1alpha2', spec({ y: text, z: text }))], withHook)
const plus = (crd: Definition, name: string, schema: object): Definition => ({
  ...crd,
  spec: { ...crd.spec, versions: [...crd.spec.versions, v(name, schema)] },
})
const twoTight = plus(two, 'v1alpha3', spec({ y: { ...text, maxLength: 3 } }))
const twoStable = plus(two, 'v1', renamed)
const left = definition([v('v1alpha1', plain, old, { served: false }), v('v1alpha2', renamed, storage)], withHook)
const leftTight = plus(left, 'v1alpha3', spec({ y: { ...text, maxLength: 3 } }))
const leftStable = plus(left, 'v1', renamed)
const threeKinds = (schema: object) => definition([v('v1alpha1', schema), v('v1beta1', schema, storage)])
const twoAlike = definition([v('v1alpha1', plain), v('v1', plain)])
const twoAlikeWanted = definition([v('v1alpha1', plain), v('v1', optional)])
const since = (releases: number, crd: Definition) => ({
  history: Array.from({ length: releases }, (_, index) => ({ release: `v1.${index}.0`, definition: crd })),
})
const deprecatedField = definition([v('v1', polite)])

const ngf: AdviceCase[] = [
  ['ngf', 'nothing', ...within('v1alpha1', plain, plain), 'none', undefined, []],
  ['ngf', 'an optional field', ...within('v1', plain, optional), 'none', undefined, [0]],
  ['ngf', 'documentation', ...within('v1', plain, documented), 'none', undefined, [0]],
  ['ngf', 'a wider limit', ...within('v1', tight, wide), 'none', undefined, [0]],
  ['ngf', 'a required field with a default', ...within('v1', plain, filled), 'none', undefined, [0]],
  ['ngf', 'a new name', ...within('v1alpha1', plain, renamed), 'bump-with-webhook', 'v1alpha2', [0, 3, 4]],
  ['ngf', 'another structure', ...within('v1alpha1', plain, retyped), 'bump-with-webhook', 'v1alpha2', [0, 3, 4]],
  ['ngf', 'another place', ...within('v1alpha1', plain, moved), 'bump-with-webhook', 'v1alpha2', [0, 3, 4]],
  ['ngf', 'a new name, in v1', ...within('v1', plain, renamed), 'bump-with-webhook', 'v2alpha1', [0, 3, 4]],
  ['ngf', 'a new name, added', ...beside('v1alpha1', 'v1alpha2', renamed), 'bump-with-webhook', 'v1alpha2', [0, 3, 4]],
  ['ngf', 'a new name, straight to v1', ...beside('v1alpha1', 'v1', renamed), 'bump-with-webhook', 'v1', [0, 3, 4]],
  ['ngf', 'a new name, as beta', ...beside('v1alpha1', 'v1beta1', renamed), 'bump-with-webhook', 'v1', [0, 3, 4]],
  [
    'ngf',
    'a new required field, in v1',
    ...within('v1', plain, required),
    'bump-without-webhook',
    'v2alpha1',
    [0, 3, 4],
  ],
  ['ngf', 'other values, in v1', ...within('v1', wide, tight), 'bump-without-webhook', 'v2alpha1', [0, 3, 4]],
  ['ngf', 'other values, in alpha', ...within('v1alpha1', wide, tight), 'none', undefined, [0]],
  ['ngf', 'a required field, in alpha', ...within('v1alpha1', plain, required), 'none', undefined, [0]],
  ['ngf', 'values, added', ...beside('v1alpha1', 'v1alpha2', narrow), 'bump-without-webhook', 'v1alpha2', [0, 3, 4]],
  ['ngf', 'a field goes, in v1', ...within('v1', plain, removed), 'bump-without-webhook', 'v2alpha1', [0, 3, 6, 7]],
  ['ngf', 'a field goes, in alpha', ...within('v1alpha1', plain, removed), 'none', undefined, [0, 3]],
  [
    'ngf',
    'a deprecated field',
    ...within('v1', polite, removedPolitely),
    'bump-without-webhook',
    'v2alpha1',
    [0, 2, 5, 6],
  ],
  [
    'ngf',
    'a field deprecated for 3 releases',
    ...within('v1', polite, removedPolitely),
    'bump-without-webhook',
    'v2alpha1',
    [0, 3, 4],
    since(3, deprecatedField),
  ],
  ['ngf', 'name and required field', ...within('v1alpha1', plain, both), 'bump-without-webhook', 'v1alpha2', [0, 3, 4]],
  [
    'ngf',
    'structure and optional',
    ...within('v1alpha1', optional, restructured),
    'bump-with-webhook',
    'v1alpha2',
    [0, 3, 4],
  ],
  ['ngf', 'graduation', ...beside('v1alpha1', 'v1', plain), 'bump-without-webhook', 'v1', [0, 3, 4]],
  ['ngf', 'a needless version', ...beside('v1alpha1', 'v1alpha2', optional), 'none', undefined, [0]],
  ['ngf', 'two versions, an optional field', two, twoOptional, 'none', undefined, [0]],
  ['ngf', 'a webhook is left', left, leftTight, 'bump-without-webhook', 'v1alpha3', [2, 3, 6, 7]],
  [
    'ngf',
    'a webhook is left, for 3',
    left,
    leftTight,
    'bump-without-webhook',
    'v1alpha3',
    [0, 1, 4, 5],
    since(3, left),
  ],
  ['ngf', 'a webhook is left, graduation', left, leftStable, 'bump-without-webhook', 'v1', [0, 3, 4]],
  ['ngf', 'two versions, graduation', two, twoStable, 'bump-without-webhook', 'v1', [2, 3, 6, 7]],
  ['ngf', 'two versions, and values', two, twoTight, 'bump-without-webhook', 'v1alpha3', [2, 3, 4, 7, 8]],
  ['ngf', 'two versions, since when?', two, twoWanted, 'bump-with-webhook', 'v1alpha3', [2, 3, 6, 7]],
  ['ngf', 'two versions, for 3', two, twoWanted, 'bump-with-webhook', 'v1alpha3', [0, 1, 4, 5], since(3, two)],
]

const kubeairunway: AdviceCase[] = [
  ['kubeairunway', 'nothing', ...within('v1alpha1', plain, plain), 'none', undefined, []],
  ['kubeairunway', 'an optional field', ...within('v1', plain, optional), 'none', undefined, [0]],
  ['kubeairunway', 'a field with a default', ...within('v1', plain, filled), 'none', undefined, [0]],
  ['kubeairunway', 'alpha breaks', ...within('v1alpha1', plain, narrow), 'none', undefined, [0]],
  [
    'kubeairunway',
    'alpha, no default',
    ...within('v1alpha1', plain, required),
    'bump-with-webhook',
    'v1beta1',
    [0, 1, 2],
  ],
  [
    'kubeairunway',
    'alpha, other type',
    ...within('v1alpha1', plain, retyped),
    'bump-with-webhook',
    'v1beta1',
    [0, 1, 2],
  ],
  ['kubeairunway', 'beta', ...within('v1beta1', plain, narrow), 'bump-with-webhook', 'v1', [0, 1, 2]],
  ['kubeairunway', 'beta, added', ...beside('v1beta1', 'v1beta2', narrow), 'bump-with-webhook', 'v1beta2', [0, 1, 2]],
  [
    'kubeairunway',
    'beta, deprecated and converted',
    definition([v('v1beta1', plain, old)], withHook),
    definition([v('v1beta1', narrow, old)], withHook),
    'none',
    undefined,
    [0],
  ],
  ['kubeairunway', 'v1', ...within('v1', plain, narrow), 'bump-with-webhook', 'v2alpha1', [0]],
  ['kubeairunway', 'v1, as v2', ...beside('v1', 'v2', narrow), 'bump-with-webhook', 'v2', [0, 1]],
  [
    'kubeairunway',
    'alpha to beta',
    ...beside('v1alpha1', 'v1beta1', narrow),
    'bump-with-webhook',
    'v1beta1',
    [0, 1, 2],
  ],
  ['kubeairunway', 'beta left out', ...beside('v1alpha1', 'v1', narrow), 'bump-with-webhook', 'v1beta1', [0, 1, 2]],
  ['kubeairunway', 'from beta', ...beside('v1beta1', 'v1', plain), 'bump-without-webhook', 'v1', [0, 1, 2]],
  ['kubeairunway', 'promotion', ...beside('v1alpha1', 'v1beta1', plain), 'bump-without-webhook', 'v1beta1', [0, 1, 2]],
]

const kubernetes: AdviceCase[] = [
  ['kubernetes', 'an optional field', ...within('v1', plain, optional), 'none', undefined, [0]],
  ['kubernetes', 'wider', ...within('v1', tight, wide), 'none', undefined, [0]],
  ['kubernetes', 'alpha', ...within('v1alpha1', plain, narrow), 'bump-with-webhook', 'v1alpha2', [0, 1, 2]],
  ['kubernetes', 'beta', ...within('v1beta1', plain, narrow), 'bump-with-webhook', 'v1beta2', [0, 1, 3, 4]],
  ['kubernetes', 'stable', ...within('v1', plain, narrow), 'bump-with-webhook', 'v2alpha1', [0]],
  ['kubernetes', 'a stable successor', ...beside('v1', 'v2', narrow), 'bump-with-webhook', 'v2', [0, 1]],
  ['kubernetes', 'another name', ...within('v1alpha1', plain, renamed), 'bump-with-webhook', 'v1alpha2', [0, 1, 2]],
  ['kubernetes', 'two alike', twoAlike, twoAlikeWanted, 'none', undefined, [0]],
  ['kubernetes', 'promotion', ...beside('v1beta1', 'v1', plain), 'bump-without-webhook', 'v1', [0, 1, 3, 4]],
  ['kubernetes', 'a version goes', twoAlike, definition([v('v1', plain)]), 'none', undefined, []],
  ['kubernetes', 'a name of its own', ...within('edge', plain, narrow), 'bump-with-webhook', undefined, [0, 1, 2]],
]

const crdify: AdviceCase[] = [
  ['olm', 'an optional field', ...within('v1', plain, optional), 'none', undefined, [0]],
  ['olm', 'other words', ...within('v1alpha1', plain, documented), 'none', undefined, [0]],
  ['strict', 'other words', ...within('v1alpha1', plain, documented), 'bump-with-webhook', 'v1alpha2', [0, 1, 2]],
  ['strict', 'a required default', ...within('v1alpha1', plain, filled), 'bump-with-webhook', 'v1alpha2', [0, 1, 2]],
  ['olm', 'tighter', ...within('v1beta1', plain, narrow), 'bump-with-webhook', 'v1beta2', [0, 1, 3, 4]],
]

/** A version that is followed is not the only one that is served. */
const threeServed: AdviceCase[] = [
  [
    'kubernetes',
    'a change beside an older version that is still served',
    threeKinds(plain),
    threeKinds(renamed),
    'bump-with-webhook',
    'v1beta2',
    [0, 1, 3, 4],
  ],
  [
    'kubeairunway',
    'a change beside an older version that is still served',
    threeKinds(plain),
    threeKinds(renamed),
    'bump-with-webhook',
    'v1',
    [0, 1, 2],
  ],
]

export const adviceCases = [...ngf, ...kubeairunway, ...kubernetes, ...threeServed, ...crdify]
