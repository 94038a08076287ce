import { storableText } from '../content/message-drafts.ts'
import { firstText, type Snapshot } from './snapshot.ts'

/** Contract 2.11. */
const maxDerivedLength = 50

const untitled = 'Untitled conversation'

/** The title of a share that was given none: the conversation's, else the beginning of what is shared. */
export function derivedTitle(conversationTitle: string | null | undefined, snapshot: Snapshot): string {
  if (conversationTitle) return conversationTitle
  const text = storableText(firstText(snapshot)?.slice(0, 4 * maxDerivedLength))?.replace(/\s+/g, ' ')
  if (!text) return untitled
  return Array.from(text).slice(0, maxDerivedLength).join('').trim()
}
