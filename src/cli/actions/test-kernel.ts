import { accessSync, existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { NodeDefinition } from '../../graph/node-definition.js'
import { conformance } from '../../testing/conformance.js'
import { UsageError, type CommandContext } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { table } from '../print/table.js'

/** Runs the suite on every node that a file exports for a module, with that module's bytes. Exit code 1 when a check fails. */
export async function testKernel({ positionals, options, terminal }: CommandContext): Promise<number> {
  const [file, ...rest] = positionals
  if (file === undefined || rest.length > 0) throw new UsageError(`expected one MODULE.wasm, got ${positionals.join(' ') || 'nothing'}.`)
  const chunkings = options['chunkings'] === undefined ? undefined : Number(options['chunkings'])
  if (chunkings !== undefined && !(Number.isInteger(chunkings) && chunkings >= 1)) {
    throw new UsageError(`--chunkings: expected a whole number from 1, got ${String(options['chunkings'])}.`)
  }
  const bytes = new Uint8Array(readFileSync(file)), nodeFile = nodesBeside(file, options['node'])
  const exported = Object.values(await import(pathToFileURL(resolve(nodeFile)).href) as Record<string, unknown>)
  const nodes = exported.flatMap((one) => definitionOf(one) ?? [])
  if (nodes.length === 0) {
    throw new UsageError(
      `${nodeFile}: expected at least one exported node with a kernel (defineNode({ kernel: { module, export } })), got none.`,
    )
  }
  const report = []
  for (const definition of nodes) {
    const findings = await conformance(definition, {
      kernels: { [definition.kernel!.module]: bytes }, ...(chunkings === undefined ? {} : { chunkings }),
    })
    report.push({ type: definition.type, ok: findings.every((finding) => finding.ok), findings })
  }
  if (options['json'] === true) terminal.out(JSON.stringify({ module: file, nodes: report }, null, 2))
  else {
    for (const { type, ok, findings } of report) {
      terminal.out(`${type}: ${ok ? 'passes' : 'FAILS'}`)
      terminal.out(table([
        ['tier', 'check', 'result', 'about'],
        ...findings.map((finding) => [finding.tier, finding.check, finding.ok ? 'ok' : 'FAILED', finding.detail]),
      ]))
    }
  }
  return report.every(({ ok }) => ok) ? EXIT.OK : EXIT.FAILED
}

/** The file that declares the module's nodes. */
function nodesBeside(file: string, option: unknown): string {
  if (typeof option === 'string') { accessSync(option); return option }
  const stem = file.replace(/\.wasm$/, ''), found = [`${stem}.mjs`, `${stem}.js`].find((path) => existsSync(path))
  if (found === undefined) throw new UsageError(`${file}: expected ${stem}.mjs or ${stem}.js beside it. The suite needs the node's ports, params and reference: name their file with --node.`)
  return found
}

/** The definition of a node that has a kernel, whoever's copy of the library made it. */
function definitionOf(value: unknown): NodeDefinition | undefined {
  const definition = typeof value === 'function' || (typeof value === 'object' && value !== null)
    ? (value as { definition?: NodeDefinition }).definition
    : undefined
  return typeof definition?.kernel?.module === 'string' ? definition : undefined
}
