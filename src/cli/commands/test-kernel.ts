import type { Command } from '../command.js'

/** `millrace test-kernel`: the conformance suite on a compiled module. */
export const testKernelCommand: Command = {
  name: 'test-kernel', summary: 'run the conformance suite on a kernel module', usage: 'MODULE.wasm [--node FILE.mjs]',
  options: {
    node: {
      type: 'string', value: 'FILE',
      doc: 'Module that exports the nodes of its kernels; default MODULE.mjs or MODULE.js beside it.',
    },
    chunkings: { type: 'string', value: 'N', doc: 'Random chunkings per node; default 1000.' },
  },
  examples: ['millrace test-kernel wobble.wasm', 'millrace test-kernel build/filters.wasm --node nodes.mjs --json'],
  run: async (context) => (await import('../actions/test-kernel.js')).testKernel(context),
}
