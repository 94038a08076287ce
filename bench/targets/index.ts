import { startBareProxy } from './bare-proxy.ts'
import { startPlatform } from './platform.ts'
import type { StartTarget } from './target.ts'

/** What is loaded in turn. The name of the baseline, with which ratios are made, is `bare proxy`. */
export const targets: readonly StartTarget[] = [startBareProxy, startPlatform]
