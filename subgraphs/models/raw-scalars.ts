import { GraphQLError, GraphQLScalarType } from 'graphql'
import { rawBodyOf } from '../../platform/openai/raw-body.ts'

/** They come as variables only: as text in a document the bytes would be lost. */
function refuseLiteral(): never {
  throw new GraphQLError('A raw value can be given as a variable only.', {
    extensions: { code: 'BAD_USER_INPUT' },
  })
}

/** Bodies, by reference or as text (`platform/openai/raw-body.ts`). */
export const rawBodyScalar = new GraphQLScalarType({
  name: 'RawBody',
  serialize: (value) => value,
  parseValue: rawBodyOf,
  parseLiteral: refuseLiteral,
})

/** Frames of a stream, by reference or as texts (`platform/openai/raw-frames.ts`). They are never input. */
export const rawFramesScalar = new GraphQLScalarType({
  name: 'RawFrames',
  serialize: (value) => value,
  parseValue: refuseLiteral,
  parseLiteral: refuseLiteral,
})
