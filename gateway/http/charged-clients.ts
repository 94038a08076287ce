import { toGraphQLError } from '../../platform/errors.ts'
import type { OperationRequest, OperationRunner } from '../operation-runner.ts'
import type { Charge } from './graph-http-options.ts'
import { startedFields } from './root-fields.ts'

/** Clients whose valid mutations and subscriptions are charged for what they start, before they start it. */
export function chargedClients(clients: OperationRunner, charge: Charge): OperationRunner {
  const refusal = async ({ document, operationName, context }: OperationRequest) => {
    try {
      const fields = startedFields(document, operationName)
      if (fields.length > 0) await charge(fields, context)
      return null
    } catch (error) {
      return { errors: [toGraphQLError(error)] }
    }
  }
  return {
    kindOf: (request) => clients.kindOf(request),
    async admit(request) {
      const admitted = await clients.admit(request)
      return (
        admitted && {
          run: async (context) => (await refusal({ ...request, context })) ?? admitted.run(context),
        }
      )
    },
    async execute(request) {
      // A refused operation starts nothing: it is told why, and not charged. An endless fragment never gets past this.
      const admitted = await clients.admit(request)
      if (!admitted) return clients.execute(request)
      return (await refusal(request)) ?? admitted.run(request.context)
    },
    async subscribe(request) {
      // Throws for what is not valid, as the runner itself would tell.
      if ((await clients.kindOf(request)) !== 'subscription') return clients.subscribe(request)
      return (await refusal(request)) ?? clients.subscribe(request)
    },
  }
}
