/**
 * The notification channel on which projects tells that a user has deleted one, whose conversations are in none from then on. The
 * payload is the user's id.
 */
export const projectDeletionsChannel = 'project_deletions'
