/** Something that is loaded: the platform, or what it is compared with. */
export interface Target {
  readonly origin: string
  /** What identifies the caller, and whatever else every request must carry. */
  readonly headers: Readonly<Record<string, string>>
  readonly pid: number
  readonly readyMs: number
  stop(): Promise<void>
}

/** Starts a target in front of the mock upstream. */
export type StartTarget = (upstream: Target) => Promise<Target>
