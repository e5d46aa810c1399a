/**
 * Every export of src has a doc block. A table that follows a documented one without an empty line shares its block; a node shares the
 * header of its file, and so does a table of errors.
 */
import ts from 'typescript'
import { place, sources } from '../lib/sources.mjs'

export const name = 'doc blocks'

export function check(files = sources()) {
  const problems = []
  for (const file of files) {
    let previous
    for (const statement of file.tree.statements) {
      const exported = ts.canHaveModifiers(statement)
        && ts.getModifiers(statement)?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)
      if (!exported) {
        previous = undefined
        continue
      }
      const documented = ts.getJSDocCommentsAndTags(statement).some(ts.isJSDoc) || overload(statement, previous) || headed(file, statement)
        || joined(file, statement, previous)
      if (!documented) {
        problems.push(
          `${place(file, statement)}: export ${nameOf(statement)} has no doc block. Say what it is, with units, ranges and errors.`,
        )
      } else {
        previous = statement
      }
    }
  }
  return problems
}

/** The file's one definition, described by the block at its top. */
function headed(file, statement) {
  if (!ts.isVariableStatement(statement) || !/^\s*\/\*\*/.test(file.text)) return false
  return statement.declarationList.declarations.every((declaration) =>
    /^define(Node|Errors)\(/.test(declaration.initializer?.getText(file.tree) ?? ''))
}

function overload(statement, previous) {
  return previous !== undefined && ts.isFunctionDeclaration(statement) && ts.isFunctionDeclaration(previous)
    && nameOf(statement) === nameOf(previous)
}

/** One-line exports, values and types, written line under line below a documented one: a table shares its block. */
function joined(file, statement, previous) {
  if (previous === undefined) return false
  const own = file.text.slice(statement.getStart(file.tree), statement.end)
  const lines = ts.isVariableStatement(statement) || ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)
  return (lines || !own.includes('\n')) && !/\n\s*\n/.test(file.text.slice(previous.end, statement.getStart(file.tree)))
}

function nameOf(statement) {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map((declaration) => declaration.name.getText()).join(', ')
  }
  return statement.name?.getText() ?? ''
}
