/// Rows of four, as boxes are stored, to and from four vectors: shuffles, no element by itself.
extension Lanes {
  @inline(always)
  public static func columns(_ rows: UnsafePointer<Element>) -> (Self, Self, Self, Self) {
    let (r0, r1) = (Self(rows), Self(rows + count))
    let (r2, r3) = (Self(rows + 2 * count), Self(rows + 3 * count))
    // Columns 0 and 2 by turns, then 1 and 3.
    let (even0, even1) = (evens(r0, r1), evens(r2, r3))
    let (odd0, odd1) = (odds(r0, r1), odds(r2, r3))
    return (evens(even0, even1), evens(odd0, odd1), odds(even0, even1), odds(odd0, odd1))
  }

  @inline(always)
  public static func storeColumns(
    _ columns: (Self, Self, Self, Self), _ rows: UnsafeMutablePointer<Element>
  ) {
    let (even0, even1) = (zipLow(columns.0, columns.2), zipHigh(columns.0, columns.2))
    let (odd0, odd1) = (zipLow(columns.1, columns.3), zipHigh(columns.1, columns.3))
    zipLow(even0, odd0).store(rows)
    zipHigh(even0, odd0).store(rows + count)
    zipLow(even1, odd1).store(rows + 2 * count)
    zipHigh(even1, odd1).store(rows + 3 * count)
  }
}
