/** The embedded PostgreSQL cannot run. The message is one sentence that tells the user what to do. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError'
}

const WAY_OUT = 'or set DATABASE_URL to a PostgreSQL of your own'

/** Turns what initdb or postgres wrote before they gave up into that one sentence. */
export function explainFailure(output: string, folder: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(sentence(output, folder))
}

function sentence(output: string, folder: string): string {
  if (/could not (create|resize|map anonymous) shared memory/i.test(output)) {
    return `PostgreSQL got no shared memory (${firstCause(output)}): give the system (or container) more memory, ${WAY_OUT}.`
  }
  if (
    /No space left on device|Disk quota exceeded|could not extend file|wrote only|ENOSPC|EDQUOT/i.test(output)
  ) {
    return `The disk of ${folder} is full: free some space and start again.`
  }
  if (/error while loading shared libraries|Library not loaded|GLIBC_/i.test(output)) {
    return `The bundled PostgreSQL does not run on this system (${firstCause(output)}): use a system with glibc, ${WAY_OUT}.`
  }
  if (
    /Permission denied|Operation not permitted|EACCES|EPERM|EROFS|invalid permissions|wrong ownership/i.test(
      output,
    )
  ) {
    return `PostgreSQL may not use ${folder} (${firstCause(output)}): give it to your user, or set JAN_DATA_DIR to another folder.`
  }
  return `PostgreSQL cannot use ${folder} (${firstCause(output)}): repair it, set JAN_DATA_DIR to another folder, ${WAY_OUT}.`
}

function firstCause(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const fatal = lines.find((line) => /\b(FATAL|PANIC|error|fatal)\b:?/.test(line)) ?? lines.at(-1)
  return fatal?.replace(/^.*?(FATAL|PANIC|error|fatal): +/, '').trim() ?? 'it gave no reason'
}
