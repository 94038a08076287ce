/** A failure that the user can act on: its message is one sentence that says how. */
export class PrepareError extends Error {}
