/** Rows of cells as aligned text; numbers to the right. The first row is the head. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => String(row[column] ?? '').length))) ?? []
  const right = widths.map((_, column) => rows.slice(1).every((row) => typeof row[column] === 'number'))
  const line = (row: readonly (string | number)[]): string =>
    row.map((cell, i) => right[i] ? String(cell).padStart(widths[i]!) : String(cell).padEnd(widths[i]!)).join('  ').trimEnd()
  return [line(rows[0] ?? []), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.slice(1).map(line)].join('\n')
}
