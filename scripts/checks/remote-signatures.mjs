/** What Comlink carries is control: no typed array or buffer in the signature of a remote interface (PK-53). */
import ts from 'typescript'
import { place, sources, walk } from '../lib/sources.mjs'

const MEDIA = /^(ArrayBuffer|Uint8Array|Uint8ClampedArray|Int8Array|Uint16Array|Int16Array|Uint32Array|Int32Array|Float32Array|Float64Array|BigInt64Array|BigUint64Array|DataView)$/

export const name = 'remote signatures'

export function check(files = sources().filter((file) => file.path.startsWith('src/workers/'))) {
  const problems = []
  for (const file of files) {
    for (const statement of file.tree.statements) {
      if (!ts.isInterfaceDeclaration(statement) || !/(Remote|Control)$/.test(statement.name.text)) continue
      walk(statement, (node) => {
        if (ts.isTypeReferenceNode(node) && MEDIA.test(node.typeName.getText(file.tree))) {
          problems.push(`${place(file, node)}: ${statement.name.text} carries ${node.typeName.getText(file.tree)}. Media goes by transfer over its own port.`)
        }
      })
    }
  }
  return problems
}
