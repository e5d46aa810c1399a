/**
 * Lines have at most 140 columns. Longer ones may stay where nothing could break them: one literal (text, template, regular expression,
 * what a line holds of one that spans lines) or one address takes 100 columns or more, or the line is a row of a table in a comment.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { listFiles } from '../lib/hash.mjs'
import { root } from '../lib/say.mjs'
import { parse, walk } from '../lib/sources.mjs'

const MOST = 140, LITERAL = 100
const FOLDERS = ['src', 'test', 'bench', 'scripts', 'demo', 'examples', 'assembly', 'wasm/crates']
const OUTPUT = /(^|\/)(node_modules|dist|build|generated|target)\//
const ROW = /^\s*(\*|\/\/[/!]?) \|.*\|$/
const WORDS = /https?:\S+/g
const RUST_LITERAL = /"(?:[^"\\]|\\.)*"/g

export const name = 'line length'

export function check(files = FOLDERS.flatMap(filesOf)) {
  return files.flatMap(({ path, text }) => {
    const lines = text.split('\n'), long = lines.flatMap((line, i) => line.length > MOST && columns(line) > MOST ? [i] : [])
    if (long.length === 0) return []
    const most = path.endsWith('.rs') ? () => 0 : literals(path, text, lines)
    return long.filter((i) => !ROW.test(lines[i]) && Math.max(most(i), longest(lines[i], WORDS), longest(lines[i], RUST_LITERAL)) < LITERAL)
      .map((i) => `${path}:${i + 1}: expected at most ${MOST} columns, got ${columns(lines[i])}. Break the line.`)
  })
}

function filesOf(folder) {
  return listFiles(join(root, folder), (path) => /\.(ts|mts|mjs|rs)$/.test(path) && !OUTPUT.test(path))
    .map((path) => ({ path: `${folder}/${path}`, text: readFileSync(join(root, folder, path), 'utf8') }))
}

/** Characters, not UTF-16 units. */
function columns(text) {
  return [...text].length
}

function longest(line, pattern) {
  return Math.max(0, ...(line.match(pattern) ?? []).map(columns))
}

/** Of a line: columns of its longest literal, or part of one. */
function literals(path, text, lines) {
  const { tree } = parse(path, text), most = new Map()
  walk(tree, (node) => {
    if (!ts.isStringLiteralLike(node) && !ts.isTemplateExpression(node) && !ts.isRegularExpressionLiteral(node)) return
    const from = tree.getLineAndCharacterOfPosition(node.getStart(tree)), to = tree.getLineAndCharacterOfPosition(node.end)
    for (let i = from.line; i <= to.line; i++) {
      const part = lines[i].slice(i === from.line ? from.character : 0, i === to.line ? to.character : undefined)
      most.set(i, Math.max(most.get(i) ?? 0, columns(part)))
    }
  })
  return (i) => most.get(i) ?? 0
}
