/** Source files as the checks see them: path, text, syntax tree. Parsed once per run. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { listFiles } from './hash.mjs'
import { root } from './say.mjs'

let cache

/** Every TypeScript file of src, declarations and generated ones left out. */
export function sources() {
  cache ??= listFiles(join(root, 'src'), (path) => path.endsWith('.ts') && !path.endsWith('.d.ts')).map((path) => parse(`src/${path}`))
  return cache
}

/** One file, by its path below the repository. */
export function parse(path, text = readFileSync(join(root, path), 'utf8')) {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS) }
}

/** Calls `visit` for each node below `node`, parents first. */
export function walk(node, visit) {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

/** `path:line` of a node. */
export function place(file, node) {
  return `${file.path}:${file.tree.getLineAndCharacterOfPosition(node.getStart(file.tree)).line + 1}`
}

/** Static imports and re-exports: specifier, whether only types cross, and the node. */
export function imports(file) {
  const found = []
  walk(file.tree, (node) => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause
      const names = clause?.namedBindings !== undefined && ts.isNamedImports(clause.namedBindings)
        ? clause.namedBindings.elements
        : undefined
      const onlyTypes = clause !== undefined && (clause.isTypeOnly
        || (clause.name === undefined && names !== undefined && names.length > 0 && names.every((name) => name.isTypeOnly)))
      found.push({ specifier: node.moduleSpecifier.text, types: onlyTypes, node })
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      found.push({ specifier: node.moduleSpecifier.text, types: node.isTypeOnly, node })
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
      && ts.isStringLiteralLike(node.arguments[0])) {
      found.push({ specifier: node.arguments[0].text, types: false, node })
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      found.push({ specifier: node.argument.literal.text, types: true, node })
    }
  })
  return found
}
