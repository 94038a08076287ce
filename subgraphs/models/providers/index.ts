export { ChunkAccumulator } from './chunk-accumulator.ts'
export { createDevelopmentProvider } from './development-model.ts'
export {
  type DiscoveredRuntime,
  discoverRuntimes,
  type RuntimeCandidate,
  usualRuntimes,
} from './discovery.ts'
export { defaultTimeouts, type ProviderTimeouts } from './endpoint.ts'
export { FairQueue, type QueueCaller, type QueueLimits } from './fair-queue.ts'
export { type AskingBounds, firstAnswer } from './first-answer.ts'
export { type EndpointGuards, GuardedEndpoint, type Route } from './guarded-endpoint.ts'
export { createHttpProvider } from './http-provider.ts'
export { readModelList } from './model-list.ts'
export { isObject, parseObject } from './parse-object.ts'
export type {
  CompletionRequest,
  ImageEditRequest,
  JsonObject,
  ModelCapabilities,
  Provider,
  ProviderModel,
  ProviderStream,
  StreamReport,
} from './provider.ts'
export { malformedAnswer } from './provider-errors.ts'
export { createModelRewriter } from './rewrite-model.ts'
export { type FieldEdit, findFieldValue, spliceFields } from './splice-fields.ts'
export { tokenCount, usageOf } from './stream-record.ts'
export { estimateMessageTokens, estimateTokens } from './token-estimate.ts'
