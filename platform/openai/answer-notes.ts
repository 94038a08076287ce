/** What the platform tells of an answer beside its body: REST says it in headers. */
export interface AnswerNotes {
  /** The modules of prompt orchestration that had something to say, in their order. */
  readonly promptModules: readonly string[]
}

/** The notes of bytes that were handed through, in either form; null where there are none. */
export function notesOf(value: unknown): AnswerNotes | null {
  if (typeof value !== 'object' || value === null || !('notes' in value)) return null
  return (value.notes as AnswerNotes | undefined) ?? null
}
