/**
 * The notification channel on which accounts tells that a user's settings have changed. The payload is the user's id.
 * Whoever keeps settings in memory follows it.
 */
export const settingsChannel = 'settings_changed'
