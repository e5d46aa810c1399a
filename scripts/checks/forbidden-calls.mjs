/**
 * Calls that are wrong by their place: `SharedArrayBuffer` without a typeof guard (it may not exist as an identifier), `Atomics.wait` where
 * the engine's thread may run it, clocks and random numbers where both are injected, growing a memory, top-level await, code in strings.
 */
import ts from 'typescript'
import { place, sources, walk } from '../lib/sources.mjs'

const PURE = /^src\/(schedule|graph|nodes)\//
const CLOCKS = new Set(['Date.now', 'performance.now', 'Math.random'])
const TIMERS = new Set(['setTimeout', 'setInterval', 'setImmediate', 'requestAnimationFrame'])
const CODE_IN_STRING = /\b(registerProcessor\s*\(|self\.onmessage|parentPort\.on|importScripts\s*\()/

export const name = 'forbidden calls'

export function check(files = sources()) {
  const problems = []
  for (const file of files) {
    const report = (node, text) => problems.push(`${place(file, node)}: ${text}`)
    walk(file.tree, (node) => {
      if (ts.isIdentifier(node) && node.text === 'SharedArrayBuffer' && isValue(node) && !guarded(node)) {
        report(node, 'SharedArrayBuffer without a typeof guard throws where it does not exist.')
      }
      if (ts.isPropertyAccessExpression(node)) {
        const text = node.getText(file.tree)
        if (text === 'Atomics.wait' && !/^src\/workers\/worker[^/]*$/.test(file.path)) {
          report(node, 'Atomics.wait outside src/workers/worker*.ts may block the engine thread.')
        }
        if (PURE.test(file.path) && CLOCKS.has(text)) report(node, `${text}: take the clock or random source as a parameter.`)
        if (node.name.text === 'grow' && /memory$/i.test(node.expression.getText(file.tree)) && ts.isCallExpression(node.parent)) {
          report(node, 'a memory never grows (MW-04).')
        }
      }
      if (PURE.test(file.path) && ts.isCallExpression(node) && ts.isIdentifier(node.expression) && TIMERS.has(node.expression.text)) {
        report(node, `${node.expression.text}: take the clock as a parameter.`)
      }
      if (PURE.test(file.path) && ts.isNewExpression(node) && node.expression.getText(file.tree) === 'Date'
        && (node.arguments?.length ?? 0) === 0) {
          report(node, 'new Date(): take the clock as a parameter.')
        }
      if ((ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) && topLevel(node)
        && !file.path.startsWith('src/cli/')) {
          report(node, 'top-level await breaks require() of the package (PK-01).')
        }
      if ((ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) && CODE_IN_STRING.test(node.getText(file.tree))) {
        report(node, 'code in a string: make it a module and import it with inline-worker: (PK-15).')
      }
    })
  }
  return problems
}

function isValue(node) {
  for (let at = node; at !== undefined; at = at.parent) {
    if (ts.isTypeNode(at)) return false
    if (ts.isExpressionStatement(at) || ts.isStatement(at)) break
  }
  return !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) && !ts.isPropertyAssignment(node.parent)
}

/** Under `typeof`, or in the branch of a condition that asks `typeof SharedArrayBuffer`. */
function guarded(node) {
  if (ts.isTypeOfExpression(node.parent)) return true
  const asks = (condition) => condition !== undefined && /typeof SharedArrayBuffer/.test(condition.getText())
  for (let at = node; at.parent !== undefined; at = at.parent) {
    const parent = at.parent
    if (ts.isConditionalExpression(parent) && at !== parent.condition && asks(parent.condition)) return true
    if (ts.isIfStatement(parent) && at !== parent.expression && asks(parent.expression)) return true
    if (ts.isBinaryExpression(parent) && at === parent.right && asks(parent.left)) return true
    // An earlier statement of the same block may leave when there is none.
    if (ts.isBlock(parent)
      && parent.statements.some((statement) => statement.end <= at.pos && ts.isIfStatement(statement) && asks(statement.expression))) {
      return true
    }
    if (ts.isFunctionLike(parent)) return false
  }
  return false
}

function topLevel(node) {
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (ts.isFunctionLike(at) || ts.isClassStaticBlockDeclaration(at)) return false
  }
  return true
}
