/** What a keyed request finds. `run` is the stream log of its answer, to be written by whoever has claimed it. */
export type IdempotencyClaim =
  | { readonly outcome: 'claimed'; readonly run: string }
  | { readonly outcome: 'known'; readonly run: string }
  | { readonly outcome: 'conflict' }

/** Which runs answer for which requests (contract 8.5). Exact across processes and restarts. */
export interface IdempotencyStore {
  /**
   * One of all who ask with the same scope gets `claimed`, and begins a log; the others get `known` and read it. A run
   * that ended as `spent`, was cut, or whose process is gone answers for nothing any more: its scope is claimed anew. An
   * answer is known for 24 hours.
   * @param scope digest of principal, method, path and key
   * @param fingerprint digest of what was sent: another one under a known scope is a `conflict`
   */
  claim(scope: Buffer, fingerprint: Buffer): Promise<IdempotencyClaim>
}
