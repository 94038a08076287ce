/** How long a log belongs to a process that has not renewed its claim: longer than any pause that is not a crash. */
export const leaseSeconds = 20

/** How often a process renews the claims on its logs. */
export const renewMs = 5_000

/** Contract 8.5: how long an answer is known after its end. */
export const keptSeconds = 24 * 3600

/** How long a log outlives its end where it is worth nothing: whoever reads it already may finish. */
export const spentSeconds = 60
