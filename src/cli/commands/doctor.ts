import type { Command } from '../command.js'

/** `millrace doctor`: what this host offers, and why not what it does not. */
export const doctorCommand: Command = {
  name: 'doctor', summary: 'show what this host offers: tiers, memory, SIMD, and why not', usage: '', options: {}, examples: ['millrace doctor', 'millrace doctor --json'],
  run: async (context) => (await import('../actions/doctor.js')).doctor(context),
}
