/** `graph` and `media` know no host: no DOM type and no Node global appears in them (DESIGN section 3). */
import ts from 'typescript'
import { place, sources, walk } from '../lib/sources.mjs'

const HOST = new Set(['window', 'document', 'self', 'navigator', 'process', 'Buffer', 'require', 'fetch', 'Worker', 'AudioContext',
  'HTMLElement', 'Window', 'Document', 'Blob', 'File', 'Response', 'Request', 'ReadableStream', 'MessagePort', 'NodeJS'])

export const name = 'pure layers'

export function check(files = sources().filter((file) => /^src\/(graph|media)\//.test(file.path))) {
  const problems = []
  for (const file of files) {
    const own = new Set()
    walk(file.tree, (node) => {
      const named = ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node) || ts.isFunctionDeclaration(node) ||
        ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isImportSpecifier(node)
      if (named && node.name !== undefined && ts.isIdentifier(node.name)) own.add(node.name.text)
    })
    walk(file.tree, (node) => {
      if (!ts.isIdentifier(node) || !HOST.has(node.text) || own.has(node.text) || ts.isTypeOfExpression(node.parent)) return
      const parent = node.parent
      const member = (ts.isPropertyAccessExpression(parent) && parent.name === node) || ts.isPropertySignature(parent)
        || ts.isPropertyAssignment(parent) ||
        ts.isMethodDeclaration(parent) || ts.isMethodSignature(parent) || ts.isPropertyDeclaration(parent)
        || ts.isJSDocNameReference?.(parent) ||
        (ts.isQualifiedName(parent) && parent.right === node) || ts.isShorthandPropertyAssignment(parent)
      if (!member) problems.push(`${place(file, node)}: ${node.text} belongs to a host. Give it from outside.`)
    })
  }
  return problems
}
