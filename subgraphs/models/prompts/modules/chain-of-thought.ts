import type { PromptModule } from './module.ts'

/** Words by which people ask for more than can be said at once. */
const ofReasoning =
  /\b(step[- ]by[- ]step|think (carefully|through|hard)|why|prove|proof|derive|deduce|infer|calculate|compute|solve|analy[sz]e|analysis|compare|contrast|evaluate|trade-?offs?|pros and cons|reason(ing)?|logic(al)?|puzzle|how (many|much)|optimi[sz]e|plan|strategy|root cause)\b/i

/** How to go about what takes several steps, where the user asks for it. */
export const chainOfThought: PromptModule = {
  name: 'chain_of_thought',
  say: ({ asked, text }) => (ofReasoning.test(asked) ? text('chain_of_thought') : null),
}
