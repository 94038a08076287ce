export { type Idempotency, idempotency } from './idempotency.ts'
export { keyedMount } from './keyed-mount.ts'
export { keyedRequest } from './keyed-request.ts'
