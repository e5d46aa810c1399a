import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { build } from 'esbuild'
import { inlineEsbuild } from '../../scripts/inline.mjs'

const root = resolve(import.meta.dirname, '../..')

/**
 * Runs `text`, TypeScript whose imports count from the root, as `file` in a process of its own; settles with what it
 * printed and how it ended. Killed after 20 s.
 */
export async function runScript(file: string, text: string): Promise<{ code: number | null; out: string }> {
  const result = await build({
    stdin: { contents: text, resolveDir: root, loader: 'ts' },
    bundle: true, write: false, format: 'esm', platform: 'node', target: 'es2022', mainFields: ['module', 'main'],
    plugins: [inlineEsbuild()], define: { MILLRACE_VERSION: '"test"' }, logLevel: 'silent',
  })
  writeFileSync(file, result.outputFiles[0]!.text)
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  child.stdout.on('data', (data: Buffer) => { out += data.toString() })
  child.stderr.on('data', (data: Buffer) => { out += data.toString() })
  const code = await new Promise<number | null>((done) => {
    const late = setTimeout(() => { child.kill('SIGKILL') }, 20_000)
    child.on('close', (ended) => { clearTimeout(late); done(ended) })
  })
  return { code, out: out.trim() }
}
