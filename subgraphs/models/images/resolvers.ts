import type { DepartmentResolvers } from '../../../platform/merge-resolvers.ts'
import { RawBody } from '../../../platform/openai/raw-body.ts'
import type { Resolvers } from '../schema.generated.ts'
import {
  editFromInput,
  editFromRawBody,
  generationFromInput,
  generationFromRawBody,
  type ImageCall,
} from './image-call.ts'
import { imageListOf } from './present.ts'
import type { ImageService } from './service.ts'

/** Images of prompts. */
export const imageResolvers = {
  Mutation: {
    generateImages: (_, { input }, { images }) => images.make(generationFromInput(input)),
    editImages: (_, { input }, { images }) => images.make(editFromInput(input)),
    createImages: (_, { request }, { images }) => bodyOf(generationFromRawBody(request), images),
    createImageEdits: (_, { request }, { images }) => bodyOf(editFromRawBody(request), images),
  },
  GeneratedImage: {
    media: ({ id }) => ({ id }),
    b64Json: ({ bytes }) => bytes.toString('base64'),
  },
} satisfies DepartmentResolvers<Resolvers>

async function bodyOf(call: ImageCall, images: ImageService): Promise<RawBody> {
  return new RawBody(Buffer.from(JSON.stringify(imageListOf(call, await images.make(call)))))
}
