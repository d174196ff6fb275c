/** Who refused a write, from the messages of real API servers (1.30 to 1.36) and of what stands before them. */
import { expect, test } from 'vitest'
import { explain, type Refused, type StatusFields, unanswered } from '../../../src/migration/verdict.ts'

type Row = [name: string, status: StatusFields, expected: Omit<Refused, 'message'>]

const rows: Row[] = [
  [
    'a webhook that denies',
    {
      code: 403,
      reason: 'Forbidden',
      message: 'admission webhook "vwidget.example.com" denied the request: spec.size is too big',
    },
    { cause: 'webhook', subject: 'vwidget.example.com', way: 'refused' },
  ],
  [
    'a webhook that denies with a code of its own choice',
    { code: 503, message: 'admission webhook "v.example.com" denied the request: come back later' },
    { cause: 'webhook', subject: 'v.example.com', way: 'refused' },
  ],
  [
    'a webhook that denies with 404: the object is not gone',
    { code: 404, reason: 'NotFound', message: 'admission webhook "v.example.com" denied the request: no such pool' },
    { cause: 'webhook', subject: 'v.example.com', way: 'refused' },
  ],
  [
    'a webhook that is down',
    {
      code: 500,
      reason: 'InternalError',
      message:
        'Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://hook.ns.svc:443/validate?timeout=10s": dial tcp 10.0.0.1:443: connect: connection refused',
    },
    { cause: 'webhook', subject: 'v.example.com', way: 'transient' },
  ],
  [
    'a webhook with side effects, in a dry run',
    { code: 400, reason: 'BadRequest', message: 'admission webhook "v.example.com" does not support dry run' },
    { cause: 'webhook', subject: 'v.example.com', way: 'refused', dryRunUnsupported: true },
  ],
  [
    'a policy',
    {
      code: 422,
      reason: 'Invalid',
      message:
        "widgets.bench.example \"a\" is forbidden: ValidatingAdmissionPolicy 'no-big-ones' with binding 'everywhere' denied request: failed expression: object.spec.size < 5",
    },
    { cause: 'policy', subject: 'no-big-ones', way: 'refused' },
  ],
  [
    'a mutating policy',
    {
      code: 422,
      message: "widgets.bench.example \"a\" is forbidden: policy 'sizes' with binding 'b' denied request: no",
    },
    { cause: 'policy', subject: 'sizes', way: 'refused' },
  ],
  [
    'the schema, by its causes',
    {
      code: 422,
      reason: 'Invalid',
      message:
        'Widget.bench.example "a" is invalid: [spec.size: Invalid value: "integer": too big, spec.color: Required value]',
      causes: [
        { reason: 'FieldValueInvalid', message: 'too big', field: 'spec.size' },
        { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.color' },
      ],
    },
    { cause: 'schema', subject: 'spec.size, spec.color', way: 'refused' },
  ],
  [
    'the schema, by its text',
    {
      code: 422,
      reason: 'Invalid',
      message: 'Widget.bench.example "a" is invalid: spec.size: Invalid value: "integer": too big',
    },
    { cause: 'schema', subject: 'spec.size', way: 'refused' },
  ],
  [
    'the schema, without a field',
    {
      code: 422,
      message: 'Widget.bench.example "a" is invalid: [<nil>: Invalid value: "": ...]',
      causes: [{ field: '<nil>' }],
    },
    { cause: 'schema', subject: '<nil>', way: 'refused' },
  ],
  [
    'a right that is missing',
    {
      code: 403,
      reason: 'Forbidden',
      message:
        'widgets.bench.example "a" is forbidden: User "jane" cannot patch resource "widgets" in API group "bench.example" in the namespace "default"',
    },
    { cause: 'forbidden', subject: 'patch widgets.bench.example', way: 'stop' },
  ],
  [
    'a right to a subresource that is missing',
    {
      code: 403,
      message:
        'widgets.bench.example "a" is forbidden: User "jane" cannot patch resource "widgets/status" in API group "bench.example" at the cluster scope',
    },
    { cause: 'forbidden', subject: 'patch widgets/status.bench.example', way: 'stop' },
  ],
  [
    'an admission plugin of the server',
    { code: 403, reason: 'Forbidden', message: 'widgets.bench.example "a" is forbidden: exceeded quota: few' },
    { cause: 'forbidden', way: 'refused' },
  ],
  [
    'stored bytes in a version that is gone',
    {
      code: 500,
      reason: 'InternalError',
      message: 'Internal error occurred: request to convert CR from an invalid group/version: bench.example/v1alpha1',
    },
    { cause: 'conversion', subject: 'bench.example/v1alpha1', way: 'refused' },
  ],
  [
    'managedFields in a version that is gone',
    { code: 500, message: 'request to convert CR to an invalid group/version: bench.example/v1alpha1' },
    { cause: 'conversion', subject: 'bench.example/v1alpha1', way: 'refused' },
  ],
  [
    'a conversion webhook that is down',
    {
      code: 500,
      reason: 'InternalError',
      message:
        'conversion webhook for bench.example/v1alpha1, Kind=Widget failed: Post "https://hook.ns.svc:443/convert?timeout=30s": dial tcp: connect: connection refused',
    },
    { cause: 'conversion', subject: 'bench.example/v1alpha1, Kind=Widget', way: 'transient' },
  ],
  [
    'etcd, which takes no more than 1.5 MiB',
    { code: 500, reason: 'InternalError', message: 'etcdserver: request is too large' },
    { cause: 'too-large', way: 'refused' },
  ],
  [
    'a body that is too long',
    { code: 413, message: 'Request entity too large: limit is 3145728' },
    { cause: 'too-large', way: 'refused' },
  ],
  ['413 by its code', { code: 413, message: 'the server answered 413' }, { cause: 'too-large', way: 'refused' }],
  [
    'an object that is gone',
    { code: 404, reason: 'NotFound', message: 'widgets.bench.example "a" not found' },
    { cause: 'other', way: 'gone' },
  ],
  [
    'a kind that is gone',
    { code: 404, reason: 'NotFound', message: 'the server could not find the requested resource' },
    { cause: 'other', subject: 'the kind is not served', way: 'stop' },
  ],
  [
    'a path that nobody serves',
    { code: 404, message: '404 page not found' },
    { cause: 'other', subject: 'the kind is not served', way: 'stop' },
  ],
  [
    'a kind that ends',
    {
      code: 405,
      reason: 'MethodNotAllowed',
      message: 'the server does not allow this method on the requested resource',
    },
    { cause: 'other', subject: 'patch is not allowed', way: 'stop' },
  ],
  [
    'a credential that ended',
    { code: 401, message: 'Unauthorized' },
    { cause: 'forbidden', subject: 'authentication', way: 'stop' },
  ],
  [
    'somebody else was quicker',
    {
      code: 409,
      reason: 'Conflict',
      message: 'Operation cannot be fulfilled on widgets.bench.example "a": the object has been modified',
    },
    { cause: 'conflict', way: 'conflict' },
  ],
  [
    'priority and fairness',
    { code: 429, reason: 'TooManyRequests', message: 'too many requests' },
    { cause: 'throttled', way: 'throttled' },
  ],
  [
    'a server that is tired',
    { code: 504, reason: 'Timeout', message: 'request did not complete within 34s' },
    { cause: 'server', way: 'transient' },
  ],
  [
    'etcd without a leader',
    { code: 500, message: 'etcdserver: leader changed' },
    { cause: 'server', way: 'transient' },
  ],
  ['a request that makes no sense', { code: 415, message: 'unsupported' }, { cause: 'other', way: 'refused' }],
]

test.each(rows)('%s', (_, status, expected) => {
  expect(explain(status)).toEqual({ ...expected, message: status.message })
})

test('no answer at all', () => {
  expect(unanswered({ code: 'ECONNRESET', message: 'closed' })).toEqual({
    cause: 'connection',
    subject: 'ECONNRESET',
    message: 'closed',
    way: 'transient',
  })
})
