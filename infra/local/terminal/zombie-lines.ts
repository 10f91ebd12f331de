// A frozen function's story in words, for somebody who sees it for the first time. Pure: a step and colours in, lines out.

import type { Row, Step, Verdict } from '../world/zombie/steps.ts'
import { type Answered, isAccepted, isWrite } from '../world/zombie/wire.ts'
import { aligned } from './align.ts'
import type { Paint } from './paint.ts'
import { describeMs } from './units.ts'

/** Room for a method and an object, so that what is said of them stands in one column. */
const METHOD = 6
const OBJECT = 32

/** The lines of one step; none for what needs no words. */
export function renderStep(step: Step, paint: Paint): string[] {
  switch (step.step) {
    case 'started':
      return step.who === 'first' ? firstStarted(step, paint) : secondStarted(step)
    case 'request':
      return isTold(step.request) ? renderRequest(step.request, paint) : []
    case 'frozen':
      return [`  ${paint.careful('frozen')}  process ${step.pid} is stopped (SIGSTOP), as a platform freezes a sandbox`]
    case 'freed':
      return [
        '',
        paint.strong('2  while it is frozen, another one takes over'),
        '  two other sessions are due by now; somebody frees the lease by hand: {"loop":"cleanup","action":"release"}',
      ]
    case 'settling':
      return [
        `  It waits for ${step.forMs / 1_000} s before it reads: what the first one sent may still be on its way. An API server’s copy of`,
        '  the Fence may lag for 3 s, a request that was let in may take 5 s, and etcd 7 s more.',
      ]
    case 'settled':
      return []
    case 'woken':
      return [
        '',
        paint.strong('3  the first one wakes up, knows of nothing, and sends its write'),
        `  ${paint.careful('woken')}   process ${step.pid} goes on (SIGCONT) after ${describeMs(step.afterMs)}`,
      ]
    case 'ended':
      return renderVerdict(step.verdict, paint)
  }
}

type Started = Extract<Step, { step: 'started' }>

function firstStarted({ pid, keptDays }: Started, paint: Paint): string[] {
  return [
    paint.strong('1  a function takes the lease, and is frozen at its first write'),
    `  process ${pid} runs functions/cleanup.ts; debug sessions that ended more than ${keptDays} days ago are to be deleted`,
  ]
}

function secondStarted({ pid, keptDays }: Started): string[] {
  return [`  process ${pid} runs the same function under a newer setting: debug sessions are kept for ${keptDays} days`]
}

/** Raises of the Fence, and whatever the first one tries to write; its successor's work is told by its tick. */
function isTold(request: Answered): boolean {
  return request.object.startsWith('fences/') ? request.method === 'PATCH' : request.by === 'first' && !!request.user
}

function renderRequest(request: Answered, paint: Paint): string[] {
  const { method, object, token } = request
  const [what, ...more] = said(request, paint)
  const head = `  token ${token}  ${method.padEnd(METHOD)}  ${object.padEnd(OBJECT)}  ${what}`
  return [head, ...more.map(line => `    ${line}`)]
}

function said(request: Answered, paint: Paint): string[] {
  const { status, object, user, token, isDryRun, message } = request
  if (status === 0) return [paint.careful('lost'), paint.faint('its first write, on the way to the API server')]
  if (object.startsWith('fences/') && isAccepted(request))
    return [`${status}`, paint.faint(`the Fence is raised: whoever comes with another token than ${token} is refused`)]
  if (isDryRun && status === 403)
    return [
      `${status}`,
      paint.faint('the canary: its write as a dry run under a wrong holder. Refused, so the fence is in force'),
    ]
  if (isAccepted(request)) return [isWrite(request) ? paint.bad(`${status} accepted`) : `${status}`]
  return [paint.good(`${status} refused`), `asked as ${user} with token ${token}; the API server says:`, `«${message}»`]
}

function renderVerdict(verdict: Verdict, paint: Paint): string[] {
  const { holds, firstToken, secondToken, sent, accepted, outcome, rows } = verdict
  const table = aligned(
    [['object', 'now', 'changed by', 'token'], ...rows.map(cells)],
    [paint.strong, text => text, text => text, text => text],
  )
  const counted = `${accepted} of ${sent} ${sent === 1 ? 'write' : 'writes'} sent under token ${firstToken} took effect`
  const after = `After token ${secondToken} had taken over, ${counted}`
  const words = holds
    ? [
        paint.good(`Refused. ${after}; its outcome is ${outcome}.`),
        'What it wanted to delete is as it judged it, resourceVersion and all, but kept under the newer setting: only its token',
        'gave it away.',
      ]
    : [paint.bad(`Accepted. ${after}: the fence is not in force.`)]
  return ['', ...table.map(row => `  ${row}`), '', ...words]
}

function cells({ object, now, by, token }: Row): string[] {
  return by === undefined ? [object, now, 'nobody', ''] : [object, now, `the ${by}`, String(token)]
}
