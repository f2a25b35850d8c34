extension Box where Number == Double {
  /// I / U in plain numbers, as assignments compare it; 0 where the union is empty.
  ///
  /// One expression for every place that compares overlaps: equality with a maximum is decided by
  /// the bits.
  public func overlap(_ other: Self) -> Double {
    let w = Swift.max(0, Swift.min(x2, other.x2) - Swift.max(x1, other.x1))
    let h = Swift.max(0, Swift.min(y2, other.y2) - Swift.max(y1, other.y1))
    let common = w * h
    let union = width * height + other.width * other.height - common
    return union > 0 ? common / union : 0
  }

  /// Refuses corners out of order or not finite.
  func check(_ name: String, image: Int? = nil, index: Int) throws(InvalidInput) {
    for (low, high, axis) in [(x1, x2, "x"), (y1, y2, "y")]
    where !(low <= high && low.isFinite && high.isFinite) {
      throw InvalidInput(
        name, image: image, index: index, given: "\(axis)1 = \(low), \(axis)2 = \(high)",
        expected: "finite numbers, \(axis)1 ≤ \(axis)2")
    }
  }
}
