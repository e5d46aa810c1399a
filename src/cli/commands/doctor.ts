import type { Command } from '../command.js'

/** `millrace doctor`: what this host offers, and why not what it does not. */
export const doctorCommand: Command = {
  name: 'doctor', summary: 'show what this host offers: tiers, memory, SIMD, and why not', usage: '',
  options: {
    dump: { type: 'boolean', doc: 'Run a little work on threads and print the flight recorder: what each thread did, oldest first.' },
  },
  examples: ['millrace doctor', 'millrace doctor --json', 'millrace doctor --dump'],
  run: async (context) => (await import('../actions/doctor.js')).doctor(context),
}
