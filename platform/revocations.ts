/**
 * The notification channel on which accounts tells every edge that something verified is not true any more. A payload is
 * one cache key: `user:<id>`, `session:<id>`, `key:<id>` or `token:<key>`, as `verifyCredentials` gives them.
 */
export const revocationChannel = 'accounts_revoked'
