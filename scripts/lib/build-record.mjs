/** What wasm/pkg/BUILD.json must say, and whether it still does (PK-38, PK-39). */
import { outputHashes, packageFolder, sourceHashes } from './rust.mjs'

const HASH = /^[0-9a-f]{64}$/
const TOOLS = ['rustc', 'cargo', 'linker', 'wasm-pack', 'wasm-bindgen', 'wasm-opt']

/** Findings of a record against the sources and outputs that stand in the folders now; empty when all agree. */
export function recordProblems(record, sources = sourceHashes(), outputs = outputHashes(packageFolder)) {
  if (record === undefined) return ['wasm/pkg/BUILD.json: expected the record of the build, got no file.']
  return [
    ...schemaProblems(record), ...differences('source wasm', record.sources ?? {}, sources),
    ...differences('output wasm/pkg', record.outputs ?? {}, outputs),
  ]
}

/** Findings about the form of a record. */
export function schemaProblems(record) {
  const problems = []
  for (const part of ['outputs', 'sources']) {
    const entries = Object.entries(record[part] ?? {})
    if (entries.length === 0) problems.push(`BUILD.json ${part}: expected entries, got none.`)
    for (const [path, hash] of entries) {
      if (!HASH.test(String(hash))) problems.push(`BUILD.json ${part} ${path}: expected a SHA-256, got ${hash}.`)
    }
  }
  for (const path of ['Cargo.toml', 'Cargo.lock', '.cargo/config.toml']) {
    if (record.sources?.[path] === undefined) problems.push(`BUILD.json sources: expected ${path}, it is missing.`)
  }
  for (const tool of TOOLS) if (!/\d+\.\d+|\b\d{3}\b/.test(record.tools?.[tool] ?? '')) {
    problems.push(`BUILD.json tools ${tool}: expected a version, got ${record.tools?.[tool]}.`)
  }
  for (const key of Object.keys(record)) {
    if (!['outputs', 'sources', 'tools'].includes(key)) problems.push(`BUILD.json: unknown field ${key}.`)
  }
  return problems
}

function differences(what, recorded, present) {
  return [...new Set([...Object.keys(recorded), ...Object.keys(present)])].filter((path) => recorded[path] !== present[path])
    .map((path) => `${what}/${path}: ${recorded[path] === undefined ? 'is not in the record' : present[path] === undefined ? 'is recorded and missing' : 'differs from the record'}.`)
}
