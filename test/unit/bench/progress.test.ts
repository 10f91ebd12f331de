import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPaint } from '../../../infra/local/terminal/paint.ts'
import { barLine, openProgress, plainLine } from '../../bench/progress.ts'

const reached = { what: 'cold start', done: 6, steps: 12, elapsedMs: 12_900 }

describe('a line', () => {
  it('has a bar of 24 parts in a terminal', () => {
    expect(barLine(reached, createPaint(false))).toBe(`${'━'.repeat(12)}${'─'.repeat(12)}  6 of 12  cold start  12 s`)
  })

  it('is plain where it is piped', () => {
    expect(plainLine(reached)).toBe('cold start: 6 of 12, 12 s')
  })
})

describe('progress', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** What an output was written. */
  function opened(isTTY: boolean) {
    const written: string[] = []
    const write = ((text: string) => written.push(text) > 0) as NodeJS.WriteStream['write']
    return { written, progress: openProgress({ isTTY, write }, {}) }
  }

  it('says nothing of what takes less than 2 s', () => {
    const { written, progress } = opened(false)
    progress.begin('calls', 3)
    progress.step()
    vi.advanceTimersByTime(1_999)
    progress.end()
    vi.advanceTimersByTime(60_000)
    expect(written).toEqual([])
  })

  it('tells by plain lines, after 2 s and then every 15 s, where it is piped', () => {
    const { written, progress } = opened(false)
    progress.begin('calls', 3)
    progress.step()
    vi.advanceTimersByTime(2_000)
    progress.step()
    progress.step()
    progress.step()
    vi.advanceTimersByTime(15_000)
    progress.end()
    expect(written).toEqual(['calls: 1 of 3, 2 s\n', 'calls: 3 of 3, 17 s\n'])
  })

  it('wipes its bar in a terminal when it ends', () => {
    const { written, progress } = opened(true)
    progress.begin('calls', 3)
    vi.advanceTimersByTime(2_200)
    progress.end()
    expect(written.length).toBe(3)
    expect(written[1]).toContain('0 of 3')
    expect(written.at(-1)).toBe('\r\u001b[K')
    expect(vi.getTimerCount()).toBe(0)
  })
})
