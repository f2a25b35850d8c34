/// Rows of four, as boxes are stored, to and from four vectors.
extension Lanes {
  @inline(always)
  public static func columns(
    _ rows: UnsafePointer<Element>
  ) -> (Self, Self, Self, Self) {
    var (a, b, c, d) = (zero, zero, zero, zero)
    for k in 0..<count {
      a[k] = rows[4 * k]
      b[k] = rows[4 * k + 1]
      c[k] = rows[4 * k + 2]
      d[k] = rows[4 * k + 3]
    }
    return (a, b, c, d)
  }

  @inline(always)
  public static func storeColumns(
    _ columns: (Self, Self, Self, Self), _ rows: UnsafeMutablePointer<Element>
  ) {
    for k in 0..<count {
      rows[4 * k] = columns.0[k]
      rows[4 * k + 1] = columns.1[k]
      rows[4 * k + 2] = columns.2[k]
      rows[4 * k + 3] = columns.3[k]
    }
  }
}
