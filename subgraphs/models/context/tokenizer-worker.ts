import { parentPort } from 'node:worker_threads'
import { type BeforePiece, countTokens, type Encoding, fitTexts } from './byte-pairs.ts'
import type { EncodingName } from './encodings.ts'
import type { TokenizerAnswer, TokenizerQuestion } from './tokenizer-messages.ts'

// The tokenizer's thread: the tables of an encoding are large, and a long text takes a while.

const loaded = new Map<EncodingName, Promise<Encoding>>()

function load(name: EncodingName): Promise<Encoding> {
  const known = loaded.get(name)
  if (known) return known
  const encoding: Promise<Encoding> =
    name === 'o200k_base'
      ? import('gpt-tokenizer/encoding/o200k_base')
      : import('gpt-tokenizer/encoding/cl100k_base')
  loaded.set(name, encoding)
  return encoding
}

/** Nobody waits any more: others do. */
class TooLate extends Error {}

async function answer(question: TokenizerQuestion): Promise<TokenizerAnswer> {
  const { id, until } = question
  const encoding = await load(question.encoding)
  const whileAwaited = () => {
    if (Date.now() > until) throw new TooLate()
  }
  try {
    return { id, numbers: numbersOf(encoding, question, whileAwaited) }
  } catch (error) {
    if (error instanceof TooLate) return { id, numbers: null }
    throw error
  }
}

function numbersOf(encoding: Encoding, question: TokenizerQuestion, beforePiece: BeforePiece): number[] {
  return question.kind === 'count'
    ? countTokens(encoding, question.texts, question.enough, beforePiece)
    : fitTexts(encoding, question.wanted, beforePiece)
}

// What fails here ends the thread: whoever asked is told so.
parentPort?.on('message', async (question: TokenizerQuestion) => {
  parentPort?.postMessage(await answer(question))
})
