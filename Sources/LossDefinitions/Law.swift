/// A property that a loss declares, and the check of it: a declared law is what tests it.
///
/// A law is checked twice: on certified bounds of the reference, where it can be proven or refuted,
/// and on a candidate's own values, where the bounds are the point itself or, for relations between
/// losses, the candidate's bar around it.
public struct Law<L: Loss>: Sendable {
  /// As the chapters print it: "L ≥ 0".
  public let statement: String
  public let check: @Sendable (L, Item, any LawValues) -> Verdict

  public init(
    _ statement: String, check: @escaping @Sendable (L, Item, any LawValues) -> Verdict
  ) {
    self.statement = statement
    self.check = check
  }
}

/// Where a law gets its values from.
public protocol LawValues {
  /// Bounds of the loss of an item: certified, or a candidate's answer.
  func value<M: Loss>(_ loss: M, _ item: Item) -> Interval<DoubleDouble>
  /// The same, for a comparison of two answers: a candidate's with its bar on either side.
  func loose<M: Loss>(_ loss: M, _ item: Item) -> Interval<DoubleDouble>
}

public enum Verdict: Sendable, Equatable {
  case holds
  case refuted(String)
  /// The bounds are too wide to tell.
  case undecided
}

extension Verdict {
  /// a ≥ b: refuted only where the bounds prove it.
  public static func atLeast(
    _ a: Interval<DoubleDouble>, _ b: Interval<DoubleDouble>
  ) -> Verdict {
    if !(b.upper .< a.lower || equal(b.upper, a.lower)) {
      return a.upper .< b.lower ? .refuted("\(a.brief) < \(b.brief)") : overlapping(a, b)
    }
    return .holds
  }

  /// a = b: refuted where the bounds are apart.
  public static func equal(
    _ a: Interval<DoubleDouble>, _ b: Interval<DoubleDouble>
  ) -> Verdict {
    if a.upper .< b.lower || b.upper .< a.lower { return .refuted("\(a.brief) ≠ \(b.brief)") }
    return overlapping(a, b)
  }

  private static func equal(_ a: DoubleDouble, _ b: DoubleDouble) -> Bool {
    a.hi == b.hi && a.lo == b.lo
  }

  /// Bounds that touch say that a law holds only where they are narrow.
  private static func overlapping(
    _ a: Interval<DoubleDouble>, _ b: Interval<DoubleDouble>
  ) -> Verdict {
    guard a.lower.hi.isFinite, a.upper.hi.isFinite, b.lower.hi.isFinite, b.upper.hi.isFinite else {
      return .undecided
    }
    let size = Swift.max(1, a.upper.hi.magnitude, b.upper.hi.magnitude)
    let width = (a.upper - a.lower).hi + (b.upper - b.lower).hi
    return width <= 0x1p-10 * size ? .holds : .undecided
  }
}

extension Interval<DoubleDouble> {
  fileprivate var brief: String {
    lower.hi == upper.hi ? "\(lower.hi)" : "[\(lower.hi), \(upper.hi)]"
  }
}

extension Law {
  public static var nonNegative: Self {
    Law("L ≥ 0") { loss, item, values in .atLeast(values.value(loss, item), 0) }
  }

  public static func bounded(by bound: Double) -> Self {
    Law("L ≤ \(bound)") { loss, item, values in
      .atLeast(Interval(bound), values.value(loss, item))
    }
  }

  /// L(t, t) = 0, exactly.
  public static var zeroAtTarget: Self {
    Law("L(t, t) = 0") { loss, item, values in
      .equal(values.value(loss, Item(item.target, item.target)), 0)
    }
  }

  /// L(x, t) = L(t, x).
  public static var symmetric: Self {
    Law("L(x, t) = L(t, x)") { loss, item, values in
      .equal(values.loose(loss, item), values.loose(loss, Item(item.target, item.prediction)))
    }
  }

  /// L is unchanged when the item is transformed; the transformation must be exact in Float or give
  /// nil where it is not.
  public static func invariant(
    under name: String, _ transform: @escaping @Sendable (Item) -> Item?
  ) -> Self {
    Law("unchanged under \(name)") { loss, item, values in
      guard let moved = transform(item) else { return .holds }
      return .equal(values.loose(loss, item), values.loose(loss, moved))
    }
  }

  /// A relation to another loss at the same item: L = M.
  public static func agrees<M: Loss>(
    _ statement: String, _ pair: @escaping @Sendable (L, Item) -> (loss: L, other: M, item: Item)?
  ) -> Self {
    Law(statement) { loss, item, values in
      guard let (mine, other, there) = pair(loss, item) else { return .holds }
      return .equal(values.loose(mine, item), values.loose(other, there))
    }
  }

  /// A relation to another loss at another item: L(here) = M(there).
  public static func agrees<M: Loss>(
    _ statement: String, with _: M.Type,
    _ pair: @escaping @Sendable (L, Item) -> (other: M, here: Item, there: Item)?
  ) -> Self {
    Law(statement) { loss, item, values in
      guard let (other, here, there) = pair(loss, item) else { return .holds }
      return .equal(values.loose(loss, here), values.loose(other, there))
    }
  }

  /// A relation to another loss at the same item: L ≥ M.
  public static func atLeast<M: Loss>(
    _ statement: String, _ other: @escaping @Sendable (L) -> M?
  ) -> Self {
    Law(statement) { loss, item, values in
      guard let other = other(loss) else { return .holds }
      return .atLeast(values.loose(loss, item), values.loose(other, item))
    }
  }
}
