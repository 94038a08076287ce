import type { ProviderModel } from '../provider.ts'

export const chatModelId = 'jan-dev'
export const embeddingModelId = 'jan-dev-embedding'

const created = 1_735_689_600

/** The models of the built-in provider, labelled for what they are. */
export const developmentModels: readonly ProviderModel[] = [
  {
    id: chatModelId,
    name: 'Jan development model (no intelligence)',
    description:
      'Built-in and deterministic: it repeats what it was sent and exercises streaming, tools, JSON mode, images and reasoning. It understands nothing. Connect a runtime or a provider for real answers.',
    created,
    ownedBy: 'jan',
    contextLength: 131_072,
    capabilities: {
      images: true,
      tools: true,
      reasoning: true,
      embeddings: false,
      audio: false,
      video: false,
    },
  },
  {
    id: embeddingModelId,
    name: 'Jan development embeddings (no intelligence)',
    description:
      'Built-in and deterministic: unit vectors from hashed words. Texts that share words are close; meaning plays no part. Connect a runtime or a provider for real embeddings.',
    created,
    ownedBy: 'jan',
    contextLength: 8_192,
    capabilities: {
      images: false,
      tools: false,
      reasoning: false,
      embeddings: true,
      audio: false,
      video: false,
    },
  },
]
