import type { DepartmentResolvers } from '../../../platform/merge-resolvers.ts'
import type { Resolvers } from '../schema.generated.ts'
import { editFromInput, editFromRawBody, generationFromInput, generationFromRawBody } from './image-call.ts'

/** Images of prompts. */
export const imageResolvers = {
  Mutation: {
    generateImages: (_, { input }, { images }) => images.make(generationFromInput(input)),
    editImages: (_, { input }, { images }) => images.make(editFromInput(input)),
    createImages: (_, { request }, { images }) => images.make(generationFromRawBody(request)),
    createImageEdits: (_, { request }, { images }) => images.make(editFromRawBody(request)),
  },
  GeneratedImage: {
    media: ({ id }) => ({ id }),
    b64Json: ({ bytes }) => bytes.toString('base64'),
  },
} satisfies DepartmentResolvers<Resolvers>
