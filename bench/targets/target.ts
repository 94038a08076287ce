/** Something that is loaded: the platform, or what it is compared with. */
export interface Target {
  /** Short: it stands in every row of the tables. */
  readonly name: string
  /** The base of the OpenAI API, with `/v1`. */
  readonly url: string
  /** What identifies the caller, if anything must. */
  readonly headers: Readonly<Record<string, string>>
  readonly pid: number
  readonly readyMs: number
  stop(): Promise<void>
}

/** Starts a target in front of the mock upstream. */
export type StartTarget = (upstream: { readonly port: number }) => Promise<Target>
