/** Requests that one statement answers. */
export type Group<Request> = readonly [Request, ...Request[]]

/** Answers in the order of the requests; each group is read once, and fails alone. */
export async function inGroups<Request, Answer>(
  requests: readonly Request[],
  keyOf: (request: Request) => string,
  read: (group: Group<Request>) => Promise<Answer[]>,
): Promise<(Answer | Error)[]> {
  const places = Map.groupBy(requests.keys(), (place) => keyOf(requests[place] as Request))
  const answers: (Answer | Error)[] = []
  await Promise.all(
    [...places.values()].map(async (group) => {
      const asked = group.map((place) => requests[place] as Request) as [Request, ...Request[]]
      const found = await read(asked).catch((error: Error) => error)
      group.forEach((place, index) => {
        answers[place] = found instanceof Error ? found : (found[index] as Answer)
      })
    }),
  )
  return answers
}
