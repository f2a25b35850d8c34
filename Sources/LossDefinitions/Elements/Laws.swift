extension Law where L: ElementLoss {
  /// 2 L(m, t) ≤ L(x, t) + L(y, t) for the midpoints m of x with 0 and with −x, which are exact.
  static var convex: Self {
    .inequality("L is convex in x") { loss, item, values in
      let (x, t) = (item.prediction[0], item.target)
      let here = values.loose(loss, item)
      let origin = values.loose(loss, Item([0], t))
      let half = values.loose(loss, Item([0.5 * x], t))
      let mirrored = values.loose(loss, Item([-x], t))
      return [(here + origin, 2 * half), (here + mirrored, 2 * origin)]
    }
  }

  /// L(−x, 1 − t) = L(x, t), where 1 − t is exact.
  static func mirrored(
    at settings: String, where applies: @escaping @Sendable (L) -> Bool
  ) -> Self {
    Law("L(−x, 1 − t) = L(x, t) at \(settings)") { loss, item, values in
      let t = item.target[0]
      guard applies(loss), isFloat(1 - t), 1 - (1 - t) == t else { return .holds }
      let other = Item([-item.prediction[0]], [1 - t])
      return .equal(values.loose(loss, item), values.loose(loss, other))
    }
  }

  /// L(c x, c t) = c L(x, t), for a power of two c.
  static func scales(by c: Double) -> Self {
    Law("L(c x, c t) = c L(x, t) for c > 0") { loss, item, values in
      let scaled = Item(item.prediction.map { c * $0 }, item.target.map { c * $0 })
      return .equal(values.loose(loss, scaled), Interval(c) * values.loose(loss, item))
    }
  }

  /// L lies between two bounds.
  static func between(
    _ statement: String,
    _ bounds:
      @escaping @Sendable (L, Item, any LawValues) -> (
        lower: Interval<DoubleDouble>, upper: Interval<DoubleDouble>
      )
  ) -> Self {
    .inequality(statement) { loss, item, values in
      let value = values.loose(loss, item)
      let (lower, upper) = bounds(loss, item, values)
      return [(value, lower), (upper, value)]
    }
  }
}

/// Whether a number is a Float.
func isFloat(_ x: Double) -> Bool { Double(Float(x)) == x }
