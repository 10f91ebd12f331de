// What a comparison came to, in one line.

/** Prints how many rows were compared, are expected to be equal, and are known to differ. */
export function summary(of: string, rows: number, known: number): void {
  process.stdout.write(`fidelity of ${of}: ${rows} rows compared · ${rows - known} equal · ${known} known to differ\n`)
}
