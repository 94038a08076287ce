import { readFileSync } from 'node:fs'

/** The kernel's clock ticks a second, in which /proc counts; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** Seconds of CPU that a process and its threads have used, to 10 ms; NaN where there is no /proc. */
export function cpuSeconds(pid: number): number {
  const stat = procFile(pid, 'stat')
  // The name in parentheses may hold blanks; counted from its end, user and system time are the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Megabytes of memory that a process holds; NaN where there is no /proc. */
export function residentMegabytes(pid: number): number {
  const [, kilobytes = Number.NaN] = /^VmRSS:\s+(\d+)/m.exec(procFile(pid, 'status')) ?? []
  return Number(kilobytes) / 1024
}

function procFile(pid: number, name: string): string {
  return process.platform === 'linux' ? readFileSync(`/proc/${pid}/${name}`, 'utf8') : ''
}
