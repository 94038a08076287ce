/**
 * The notification channel on which it is told that somebody's memories have changed. A payload is the id of their owner. Who
 * holds any of them in memory forgets them, and who makes vectors looks for work.
 */
export const memoryChannel = 'memory_changed'
