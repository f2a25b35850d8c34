/// A property that a loss declares, and the check of it: a declared law is what tests it.
///
/// A law is checked twice: on certified bounds of the reference, where it can be proven or refuted,
/// and on a candidate's own values, where the bounds are the point itself or, for relations between
/// losses, the candidate's bar around it.
public struct Law<L: Loss>: Sendable {
  /// As the chapters print it: "L ≥ 0".
  public let statement: String
  public let check: @Sendable (L, Item, any LawValues) -> Verdict
  /// Both sides of what an inequality claims of an item; nil for other laws.
  public let sides: (@Sendable (L, Item, any LawValues) -> [Sides])?

  /// Two sides of an inequality: the first is claimed to be at least the second.
  public typealias Sides = (greater: Interval<DoubleDouble>, lesser: Interval<DoubleDouble>)

  public init(
    _ statement: String, check: @escaping @Sendable (L, Item, any LawValues) -> Verdict
  ) {
    self.statement = statement
    self.check = check
    sides = nil
  }

  private init(
    _ statement: String, sides: @escaping @Sendable (L, Item, any LawValues) -> [Sides]
  ) {
    self.statement = statement
    self.sides = sides
    check = { loss, item, values in
      for (greater, lesser) in sides(loss, item, values) {
        let verdict = Verdict.atLeast(greater, lesser)
        guard case .holds = verdict else { return verdict }
      }
      return .holds
    }
  }

  /// A law of inequalities, whose sides a search can bring together; none where nothing is claimed.
  public static func inequality(
    _ statement: String, _ sides: @escaping @Sendable (L, Item, any LawValues) -> [Sides]
  ) -> Self {
    Self(statement, sides: sides)
  }

  /// The same law in a part of the settings, in other words.
  public func restricted(
    _ statement: String, where applies: @escaping @Sendable (L) -> Bool
  ) -> Self {
    if let sides {
      return Self(statement, sides: { applies($0) ? sides($0, $1, $2) : [] })
    }
    let check = check
    return Self(statement, check: { applies($0) ? check($0, $1, $2) : .holds })
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
    .inequality("L ≥ 0") { loss, item, values in [(values.value(loss, item), Interval(0.0))] }
  }

  public static func bounded(by bound: Double) -> Self {
    .inequality("L ≤ \(bound)") { loss, item, values in
      [(Interval(bound), values.value(loss, item))]
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
    .inequality(statement) { loss, item, values in
      guard let other = other(loss) else { return [] }
      return [(values.loose(loss, item), values.loose(other, item))]
    }
  }
}
