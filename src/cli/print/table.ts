/** Rows of cells as aligned text; numbers to the right. The first row is the head; columns without a cell beneath it are left out. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const [head = [], ...body] = rows
  const used = head.flatMap((_, column) => body.length === 0 || body.some((row) => String(row[column] ?? '') !== '') ? [column] : [])
  const widths = used.map((column) => Math.max(...rows.map((row) => String(row[column] ?? '').length)))
  const right = used.map((column) => body.length > 0 && body.every((row) => typeof row[column] === 'number'))
  const line = (row: readonly (string | number)[]): string =>
    used.map((column, i) => right[i] ? String(row[column] ?? '').padStart(widths[i]!) : String(row[column] ?? '').padEnd(widths[i]!))
      .join('  ').trimEnd()
  // A rule as wide as the longest description would wrap on every terminal.
  return [
    line(head),
    widths.map((width, i) => '─'.repeat(i === used.length - 1 && !right[i] ? String(head[used[i]!]).length : width)).join('  '),
    ...body.map(line),
  ].join('\n')
}
