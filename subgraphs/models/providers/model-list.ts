import { isObject } from './parse-object.ts'
import type { JsonObject, ModelCapabilities, ProviderModel } from './provider.ts'

/** Names by which providers tell the size of a model's context, in tokens. */
const contextFields = [
  'context_length',
  'max_model_len',
  'context_window',
  'max_context_length',
  'n_ctx',
] as const

/** Contract 2.6: ids that mark an embedding model. */
const embeddingId = /embed|(?:^|[^a-z0-9])(?:bge|gte|e5)(?:[^a-z0-9]|$)/i

/**
 * The models in the answer to `GET /models`: OpenAI's list, or the bare array that some providers send. Entries
 * without an id are left out. Null where the answer is no list of models.
 */
export function readModelList(answer: unknown): ProviderModel[] | null {
  const entries = Array.isArray(answer) ? answer : entriesOf(answer)
  return entries?.filter(hasId).map(providerModel) ?? null
}

/** Ollama without models answers `data: null`. */
function entriesOf(answer: unknown): unknown[] | null {
  if (!isObject(answer)) return null
  if (Array.isArray(answer.data)) return answer.data
  return answer.object === 'list' && answer.data === null ? [] : null
}

function hasId(entry: unknown): entry is JsonObject & { id: string } {
  return isObject(entry) && typeof entry.id === 'string' && entry.id !== ''
}

function providerModel(entry: JsonObject & { id: string }): ProviderModel {
  return {
    id: entry.id,
    ...optional('name', text(entry.name ?? entry.display_name)),
    ...optional('description', text(entry.description)),
    ...optional('created', positive(entry.created)),
    ...optional('ownedBy', text(entry.owned_by)),
    ...optional('contextLength', contextLength(entry)),
    capabilities: capabilities(entry),
  }
}

function contextLength(entry: JsonObject): number | undefined {
  const sources = [entry, entry.meta, entry.top_provider].filter(isObject)
  const values = sources.flatMap((source) =>
    [...contextFields, 'n_ctx_train'].map((name) => positive(source[name])),
  )
  return values.find((value) => value !== undefined)
}

function capabilities(entry: JsonObject & { id: string }): ModelCapabilities {
  const told = new Set([...words(entry.capabilities), ...words(entry.supported_parameters)])
  const inputs = isObject(entry.architecture) ? words(entry.architecture.input_modalities) : []
  const takes = (modality: string) => (inputs.length > 0 ? inputs.includes(modality) : undefined)
  return {
    ...optional(
      'images',
      takes('image') ??
        any(told, ['vision', 'image_input', 'multimodal']) ??
        (entry.type === 'vlm' || undefined),
    ),
    ...optional('audio', takes('audio')),
    ...optional('video', takes('video')),
    ...optional('tools', any(told, ['tools', 'tool_use', 'function_calling', 'tool_calls'])),
    ...optional('reasoning', any(told, ['reasoning', 'thinking', 'include_reasoning'])),
    ...optional('embeddings', isEmbedding(entry) || undefined),
  }
}

function isEmbedding({ id, type }: JsonObject & { id: string }): boolean {
  return embeddingId.test(id) || type === 'embeddings' || type === 'embedding'
}

/** The names in a list, or the names whose value is true in an object. */
function words(value: unknown): string[] {
  if (Array.isArray(value)) return value.filter((word) => typeof word === 'string')
  return isObject(value) ? Object.keys(value).filter((name) => value[name] === true) : []
}

/** Lists name what a model can do, not what it cannot: absence is no knowledge. */
function any(told: ReadonlySet<string>, names: string[]): true | undefined {
  return names.some((name) => told.has(name)) || undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { [key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]?: Value })
}
