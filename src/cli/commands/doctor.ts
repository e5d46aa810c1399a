import { createEngine, hostFacts } from '../../index.js'
import { isMillraceError } from '../../errors/millrace-error.js'
import type { Command } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { table } from '../print/table.js'

/** `millrace doctor`: what this host offers, and why not what it does not. Each tier is tried for real. */
export const doctorCommand: Command = {
  name: 'doctor', summary: 'show what this host offers: tiers, memory, SIMD, and why not', usage: '', options: {}, examples: ['millrace doctor', 'millrace doctor --json'],
  run: async ({ options, terminal }) => {
    const facts = hostFacts()
    const tiers = await Promise.all(['wasm-threads', 'wasm', 'js'].map(async (tier) => ({ tier, ...await tryTier(tier) })))
    if (options['json'] === true) { terminal.out(JSON.stringify({ facts, tiers }, null, 2)); return EXIT.OK }
    const { reasons, ...plain } = facts
    terminal.out(table([['tier', 'works', 'why'], ...tiers.map(({ tier, works, why }) => [tier, works ? 'yes' : 'no', why])]))
    terminal.out('')
    terminal.out(table([['fact', 'value'], ...Object.entries(plain).filter(([, value]) => typeof value !== 'object').map(([name, value]) => [name, value === true ? 'yes' : value === false ? 'no' : String(value)])]))
    for (const reason of reasons) terminal.out(`  ${reason}`)
    return EXIT.OK
  },
}

/** Opens an engine of the tier and closes it again. */
async function tryTier(tier: string): Promise<{ readonly works: boolean; readonly why: string }> {
  try {
    await using engine = await createEngine({ tier, arenaBytes: 16 * 1_048_576 })
    return { works: true, why: engine.stats().mode.why }
  } catch (error) {
    return { works: false, why: isMillraceError(error) ? `${error.code}: ${error.message} ${error.hint}` : String(error) }
  }
}
