// Columns of text. Colours come after the padding, so that they take no room.

/** Pads every column but the last to its longest cell, two spaces apart; one colour for each column. */
export function aligned(rows: readonly string[][], paints: readonly ((text: string) => string)[]): string[] {
  const widths = paints.map((_, column) => Math.max(0, ...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row =>
    row
      .map((cell, column) => {
        const text = paints[column]?.(cell) ?? cell
        const isLast = column === row.length - 1
        return isLast ? text : text + ' '.repeat((widths[column] ?? 0) - cell.length)
      })
      .join('  ')
      .trimEnd(),
  )
}
