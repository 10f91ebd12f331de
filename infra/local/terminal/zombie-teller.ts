// Tells a frozen function's story as it happens: words for people, and each step as it is for programs.

import type { Step } from '../world/zombie/steps.ts'
import type { Screen } from './screen.ts'
import { renderStep } from './zombie-lines.ts'

/** Opens it; `isJson` writes `{"message":"zombie","step":…}` to stdout besides. */
export function openTeller(screen: Screen, { isJson }: { readonly isJson: boolean }): (step: Step) => void {
  return step => {
    screen.idle()
    if (isJson) screen.raw(JSON.stringify({ message: 'zombie', ...step }))
    screen.say(...renderStep(step, screen.paint))
    if (step.step === 'settling') screen.countdown('until it may begin', step.forMs)
  }
}
