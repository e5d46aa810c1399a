/** What the engine says on the console where nobody gave it a logger. */
import { expect, test, vi } from 'vitest'
import { fillOptions } from '../../src/engine/engine-options.js'

test('warnings and errors are told with their facts, and with nothing after the text where there are none', () => {
  const said: unknown[][] = [], { logger } = fillOptions({}, {})
  const spies = (['warn', 'error', 'info', 'log', 'debug'] as const)
    .map((level) => vi.spyOn(console, level).mockImplementation((...words) => { said.push([level, ...words as unknown[]]) }))
  try {
    logger('warn', 'plain')
    logger('warn', 'empty', {})
    logger('error', 'full', { bytes: 1 })
    logger('info', 'quiet', { bytes: 1 })
    logger('debug', 'quieter')
  } finally { for (const spy of spies) spy.mockRestore() }
  expect(said).toEqual([['warn', 'millrace: plain'], ['warn', 'millrace: empty'], ['error', 'millrace: full', { bytes: 1 }]])
})
