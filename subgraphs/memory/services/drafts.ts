import { AppError } from '../../../platform/errors.ts'
import { newId } from '../../../platform/ids.ts'
import { requiredText } from '../../../platform/text.ts'
import type { ProjectFactInput, UserMemoryInput } from '../schema.generated.ts'
import type { MemoryDraft } from '../sources/memory-writes.ts'
import { importanceLevel } from './importance.ts'

const maxKeyLength = 120
const maxTextLength = 2_000
const maxDrafts = 100

/** @throws AppError `invalid_parameter` naming `param` */
export function memoryKey(key: string, param: string): string {
  return requiredText(key.trim(), { param, max: maxKeyLength, singleLine: true })
}

/** @throws AppError `invalid_parameter` naming `param` */
export function memoryText(text: string, param: string): string {
  return requiredText(text.trim(), { param, max: maxTextLength })
}

/** @throws AppError `invalid_parameter` naming `param` for what is not from 0 to 1 */
export function memoryConfidence(confidence: number | null | undefined, param: string): number | null {
  if (confidence == null) return null
  if (confidence >= 0 && confidence <= 1) return confidence
  throw new AppError('invalid_parameter', `${param} must be from 0 to 1.`, { param })
}

/** @throws AppError `missing_parameter` or `max_items_exceeded` naming `param` */
export function assertDraftCount(count: number, param: string): void {
  if (count === 0) throw new AppError('missing_parameter', `${param} must not be empty.`, { param })
  if (count > maxDrafts)
    throw new AppError('max_items_exceeded', `At most ${maxDrafts} ${param} at once.`, { param })
}

/** Facts of a person. @throws AppError `invalid_parameter` naming the field, as `items[0].text` */
export function userDrafts(items: readonly UserMemoryInput[], conversationId: string | null): MemoryDraft[] {
  return items.map(({ scope, key, text, importance }, at) => ({
    publicId: newId('memory'),
    scope,
    projectId: null,
    kind: null,
    topic: memoryKey(key, `items[${at}].key`),
    text: memoryText(text, `items[${at}].text`),
    importance: importanceLevel(importance),
    confidence: null,
    conversationId,
  }))
}

/** Facts of a project. @throws AppError `invalid_parameter` naming the field, as `facts[0].title` */
export function projectDrafts(
  facts: readonly ProjectFactInput[],
  projectId: string,
  conversationId: string | null,
): MemoryDraft[] {
  return facts.map(({ kind, title, text, confidence }, at) => ({
    publicId: newId('memory'),
    scope: 'PROJECT',
    projectId,
    kind,
    topic: memoryKey(title, `facts[${at}].title`),
    text: memoryText(text, `facts[${at}].text`),
    importance: importanceLevel(null),
    confidence: memoryConfidence(confidence, `facts[${at}].confidence`),
    conversationId,
  }))
}

/** What a conversation was about: one memory for each. */
export function episodeDraft(text: string, conversationId: string): MemoryDraft {
  return {
    publicId: newId('memory'),
    scope: 'EPISODE',
    projectId: null,
    kind: null,
    topic: conversationId,
    text: memoryText(text, 'episode'),
    importance: importanceLevel('LOW'),
    confidence: null,
    conversationId,
  }
}
