/** Words that stand in every text, the most frequent first. */
const common =
  `the of and to a in is that it for you was with on as are be this have or by one from at not but what all were we when your can
  there an which how if will each about up out them then she many some so these would other into has more two like him see time
  could no make than first been its who now people my made over did down only way find use may water long little very after
  words called just where most know model data code question answer please error file list page test value number example`.split(
    /\s+/,
  )

const onsets = [
  'b',
  'br',
  'c',
  'd',
  'f',
  'g',
  'gr',
  'h',
  'k',
  'l',
  'm',
  'n',
  'p',
  'pl',
  'r',
  's',
  'st',
  't',
  'tr',
  'v',
]
const vowels = ['a', 'e', 'i', 'o', 'u', 'ea']
const codas = ['', 'n', 'r', 's', 'l', 'nt']

/** How many different words the data set has. */
export const wordCount = 20_000

/**
 * The word of a rank from 1, the most frequent first: English for the first, then what only sounds like words. A text takes
 * the word of rank r with a probability of about 1/r, as texts do.
 */
export function wordOf(rank: number): string {
  return common[rank - 1] ?? invented(rank)
}

function invented(rank: number): string {
  let rest = rank
  let word = ''
  while (rest > 0) {
    const take = <T>(from: readonly T[]): T => {
      const taken = from[rest % from.length] as T
      rest = Math.floor(rest / from.length)
      return taken
    }
    word += take(onsets) + take(vowels) + take(codas)
  }
  return word
}
