/// A set of numbers between two bounds, which every operation rounds outward.
///
/// It holds the exact result of an operation for any operands in their intervals; of sums,
/// differences, products, quotients and square roots it also holds the rounded one. A single point
/// stays one as long as operations are exact. An infinite bound of an interval that is no point says
/// that nothing is known there. [NaN, NaN] is what has no value; where it is not decided, what may
/// have none.
public struct Interval<Base: IntervalBase>: Scalar {
  public let lower: Base
  public let upper: Base
  /// Whether every comparison that this value was selected by, and every domain that it was taken
  /// in, was decided: what proves a point smooth.
  public let isDecided: Bool

  /// Whether the one interval lies wholly below the other.
  public enum Condition: Sendable {
    case always
    case never
    case unknown
  }

  @inline(__always)
  public init(lower: Base, upper: Base, isDecided: Bool = true) {
    self.lower = lower
    self.upper = upper
    self.isDecided = isDecided
  }

  @inline(__always)
  public init(_ point: Base) { self.init(lower: point, upper: point) }

  /// The point that the value rounds to.
  public init(_ value: Double) { self.init(Base(value)) }
  public init(floatLiteral value: Double) { self.init(Base(value)) }
  public init(integerLiteral value: Int) { self.init(Base(Double(value))) }

  @inline(__always)
  private init(_ bounds: Bounds<Base>, _ isDecided: Bool) {
    self.init(lower: bounds.down, upper: bounds.up, isDecided: isDecided)
  }

  public static var pi: Self {
    let bounds = DoubleDouble.enclosing(.pi)
    return Self(lower: Base.rounding(bounds.down, .down), upper: Base.rounding(bounds.up, .up))
  }
  /// What has no value, or, undecided, may have none.
  private static func undefined(_ isDecided: Bool) -> Self {
    Self(lower: Base(.nan), upper: Base(.nan), isDecided: isDecided)
  }
  private static var line: Bounds<Base> { Bounds(Base(-.infinity), Base(.infinity)) }

  public var isPoint: Bool { lower == upper }
  public var isNaN: Bool { lower.isNaN || upper.isNaN }
  public var midpoint: Base { isPoint ? lower : lower * 0.5 + upper * 0.5 }
  /// At least the distance of the bounds.
  public var width: Base { isPoint ? 0 : Base.enclosingSum(upper, -lower).up }
  public var detached: Self { self }
  public var primal: Double { midpoint.primal }

  public func contains(_ value: Base) -> Bool { lower <= value && value <= upper }

  /// The interval with each bound moved outward by a part of its magnitude.
  public func widened(by relative: Double) -> Self {
    let part = Base(relative)
    let low = Base.enclosingProduct(lower.magnitude, part).up
    let high = Base.enclosingProduct(upper.magnitude, part).up
    return Self(
      lower: Base.enclosingSum(lower, -low).down,
      upper: Base.enclosingSum(upper, high).up,
      isDecided: isDecided)
  }

  // MARK: Arithmetic

  @inline(__always)
  public static func + (a: Self, b: Self) -> Self {
    let decided = a.isDecided && b.isDecided
    let low = Base.enclosingSum(a.lower, b.lower)
    if a.isPoint && b.isPoint { return Self(low, decided) }
    let high = Base.enclosingSum(a.upper, b.upper)
    if low.down.isNaN || high.up.isNaN {
      return a.isNaN || b.isNaN ? undefined(decided) : undefined(false)
    }
    return Self(Bounds(low.down, high.up), decided)
  }

  @inline(__always)
  public static func - (a: Self, b: Self) -> Self { a + (-b) }

  @inline(__always)
  public static prefix func - (a: Self) -> Self {
    Self(lower: -a.upper, upper: -a.lower, isDecided: a.isDecided)
  }

  public static func * (a: Self, b: Self) -> Self {
    let decided = a.isDecided && b.isDecided
    if a.isPoint && b.isPoint { return Self(Base.enclosingProduct(a.lower, b.lower), decided) }
    if a.isNaN || b.isNaN { return undefined(decided) }
    if a.isInfinitePoint && b.holdsZero || b.isInfinitePoint && a.holdsZero {
      return undefined(false)
    }
    let bounds: Bounds<Base>
    if 0 <= a.lower {
      bounds =
        0 <= b.lower
        ? Bounds(down(a.lower, b.lower), up(a.upper, b.upper))
        : b.upper <= 0
          ? Bounds(down(a.upper, b.lower), up(a.lower, b.upper))
          : Bounds(down(a.upper, b.lower), up(a.upper, b.upper))
    } else if a.upper <= 0 {
      bounds =
        0 <= b.lower
        ? Bounds(down(a.lower, b.upper), up(a.upper, b.lower))
        : b.upper <= 0
          ? Bounds(down(a.upper, b.upper), up(a.lower, b.lower))
          : Bounds(down(a.lower, b.upper), up(a.lower, b.lower))
    } else {
      bounds =
        0 <= b.lower
        ? Bounds(down(a.lower, b.upper), up(a.upper, b.upper))
        : b.upper <= 0
          ? Bounds(down(a.upper, b.lower), up(a.lower, b.lower))
          : Bounds(
            smaller(down(a.lower, b.upper), down(a.upper, b.lower)),
            larger(up(a.lower, b.lower), up(a.upper, b.upper)))
    }
    return Self(bounds, decided)
  }

  /// Never negative, unlike the product of two equal intervals with 0 inside.
  public static func square(_ x: Self) -> Self {
    if x.isPoint || x.isNaN || 0 <= x.lower || x.upper <= 0 { return x * x }
    let largest = larger(-x.lower, x.upper)
    return Self(lower: 0, upper: up(largest, largest), isDecided: x.isDecided)
  }

  /// By an interval with 0 inside the whole line, with 0 at its boundary a half line.
  public static func / (a: Self, b: Self) -> Self {
    let decided = a.isDecided && b.isDecided
    if b.lower == 0, b.upper == 0, 1 / b.lower != 1 / b.upper { return Self(line, false) }
    if a.isPoint && b.isPoint { return Self(Base.enclosingQuotient(a.lower, b.lower), decided) }
    if a.isNaN || b.isNaN { return undefined(decided) }
    guard b.holdsZero else {
      let (p, q) = 0 < b.lower ? (a, b) : (-a, -b)
      return Self(
        Bounds(
          Base.enclosingQuotient(p.lower, 0 <= p.lower ? q.upper : q.lower).down,
          Base.enclosingQuotient(p.upper, 0 <= p.upper ? q.lower : q.upper).up
        ).consistent, decided)
    }
    if a.holdsZero { return b.isPoint ? undefined(false) : Self(line, false) }
    if b.isPoint {
      return Self(
        lower: a.lower / b.lower, upper: a.upper / b.upper, isDecided: decided)
    }
    guard b.lower == 0 || b.upper == 0 else { return Self(line, decided) }
    let (p, q) = b.lower == 0 ? (a, b) : (-a, -b)
    if 0 < p.lower {
      return Self(Bounds(Base.enclosingQuotient(p.lower, q.upper).down, line.up), decided)
    }
    return Self(Bounds(line.down, Base.enclosingQuotient(p.upper, q.upper).up), decided)
  }

  private var isInfinitePoint: Bool { isPoint && !lower.isFinite }
  private var holdsZero: Bool { lower <= 0 && 0 <= upper }

  @inline(__always)
  private static func down(_ a: Base, _ b: Base) -> Base {
    a == 0 || b == 0 ? 0 : Base.enclosingProduct(a, b).down
  }

  @inline(__always)
  private static func up(_ a: Base, _ b: Base) -> Base {
    a == 0 || b == 0 ? 0 : Base.enclosingProduct(a, b).up
  }

  @inline(__always)
  private static func smaller(_ a: Base, _ b: Base) -> Base { b < a ? b : a }

  @inline(__always)
  private static func larger(_ a: Base, _ b: Base) -> Base { a < b ? b : a }

  // MARK: Choice

  @inline(__always)
  public static func .< (a: Self, b: Self) -> Condition {
    if a.upper < b.lower { return .always }
    if b.upper <= a.lower { return .never }
    return (a.isNaN && a.isDecided) || (b.isNaN && b.isDecided) ? .never : .unknown
  }

  public static func select(_ condition: Condition, _ a: Self, _ b: Self) -> Self {
    switch condition {
    case .always: a
    case .never: b
    case .unknown:
      a.isNaN || b.isNaN
        ? undefined(false)
        : Self(
          lower: smaller(a.lower, b.lower), upper: larger(a.upper, b.upper), isDecided: false)
    }
  }

  /// The larger of the bounds on either side: within the hull, which `select` would give.
  public static func max(_ a: Self, _ b: Self) -> Self {
    let either = chosenLarger(a, b)
    guard !a.isNaN, !b.isNaN, !either.isNaN else { return either }
    return Self(
      lower: larger(a.lower, b.lower), upper: larger(a.upper, b.upper),
      isDecided: either.isDecided)
  }

  // MARK: Functions

  /// What is left of this in x ≥ `bound`, undecided if that is not all; NaN if nothing is.
  private func restricted(to bound: Base) -> Self {
    if bound <= lower { return self }
    guard bound <= upper else { return Self.undefined(isDecided) }
    return Self(lower: bound, upper: upper, isDecided: false)
  }

  /// The image under an increasing function.
  @inline(__always)
  private static func increasing(
    _ x: Self, within range: ClosedRange<Double>? = nil, _ f: (Base) -> Bounds<Base>
  ) -> Self {
    let low = f(x.lower)
    let image = x.isPoint ? low : Bounds(low.down, f(x.upper).up).consistent
    guard let range else { return Self(image, x.isDecided) }
    return Self(
      lower: image.down < Base(range.lowerBound) ? Base(range.lowerBound) : image.down,
      upper: Base(range.upperBound) < image.up ? Base(range.upperBound) : image.up,
      isDecided: x.isDecided)
  }

  public static func sqrt(_ x: Self) -> Self {
    let x = x.restricted(to: 0)
    return increasing(x) { Base.enclosingRoot($0) }
  }

  public static func exp(_ x: Self) -> Self {
    increasing(x, within: 0...(.infinity)) {
      $0 == 0 || !$0.isFinite ? Bounds(.exp($0)) : Base.enclosing(.exp($0.extended))
    }
  }

  public static func expm1(_ x: Self) -> Self {
    increasing(x, within: -1...(.infinity)) {
      $0 == 0 || !$0.isFinite ? Bounds(.expm1($0)) : Base.enclosing(.expm1($0.extended))
    }
  }

  public static func log(_ x: Self) -> Self {
    let x = x.restricted(to: 0)
    return increasing(x) {
      $0 == 0 || $0 == 1 || !$0.isFinite
        ? Bounds(.log($0)) : Base.enclosing(.log($0.extended))
    }
  }

  public static func log1p(_ x: Self) -> Self {
    let x = x.restricted(to: -1)
    return increasing(x) {
      $0 == 0 || $0 == -1 || !$0.isFinite
        ? Bounds(.log1p($0)) : Base.enclosing(.log1p($0.extended))
    }
  }

  /// The hull of the powers of the bounds: y ln x is extreme at corners.
  public static func pow(_ x: Self, _ y: Self) -> Self {
    if y.isPoint {
      if y.lower == 0 { return Self(lower: 1, upper: 1, isDecided: x.isDecided && y.isDecided) }
      if y.lower == 1 || y.lower == 2 || y.lower == 0.5 {
        let x = x.restricted(to: 0)
        let power = y.lower == 1 ? x : y.lower == 2 ? x * x : sqrt(x)
        return Self(
          lower: power.lower, upper: power.upper, isDecided: x.isDecided && y.isDecided)
      }
    }
    let x = x.restricted(to: 0)
    let decided = x.isDecided && y.isDecided
    if x.isNaN || y.isNaN { return undefined(decided) }
    var bounds = power(x.lower, y.lower)
    if x.isPoint && y.isPoint { return Self(bounds, decided) }
    for corner in [power(x.lower, y.upper), power(x.upper, y.lower), power(x.upper, y.upper)] {
      bounds = Bounds(smaller(bounds.down, corner.down), larger(bounds.up, corner.up))
    }
    return Self(bounds, decided)
  }

  private static func power(_ x: Base, _ y: Base) -> Bounds<Base> {
    if x == 0 || x == 1 || y == 0 || !x.isFinite || !y.isFinite {
      return Bounds(.pow(x.magnitude, y))
    }
    let bounds = Base.enclosing(.pow(x.extended, y.extended), relative: 0x1p-89)
    return Bounds(larger(bounds.down, 0), bounds.up)
  }

  public static func atan(_ x: Self) -> Self {
    increasing(x) { $0 == 0 ? Bounds($0) : Base.enclosing(.atan($0.extended)) }
  }

  public static func tanh(_ x: Self) -> Self {
    increasing(x, within: -1...1) {
      $0 == 0 || !$0.isFinite ? Bounds(.tanh($0)) : Base.enclosing(.tanh($0.extended))
    }
  }

  public static func sigmoid(_ x: Self) -> Self {
    let image = increasing(x, within: 0...1) {
      $0 == 0 || !$0.isFinite ? Bounds(.sigmoid($0)) : Base.enclosing(.sigmoid($0.extended))
    }
    return Base.composes ? image.joined(with: 1 / (1 + exp(-x))) : image
  }

  public static func softplus(_ x: Self) -> Self {
    let image = increasing(x, within: 0...(.infinity)) {
      !$0.isFinite ? Bounds(.softplus($0)) : Base.enclosing(.softplus($0.extended))
    }
    return Base.composes ? image.joined(with: log(1 + exp(x))) : image
  }

  /// The hull of two computations of one number, the other of which may have overflowed.
  private func joined(with other: Self) -> Self {
    guard other.lower.isFinite, other.upper.isFinite, !isNaN else { return self }
    return Self(
      lower: Self.smaller(lower, other.lower), upper: Self.larger(upper, other.upper),
      isDecided: isDecided)
  }

  public static func sum(_ x: [Self]) -> Self {
    var total: Self = 0
    for value in x { total = total + value }
    let error = Base.orderError(of: x.count)
    guard error > 0, x.count > 2, total.lower.isFinite, total.upper.isFinite else { return total }
    var sizes: Base = 0
    for value in x {
      sizes = Base.enclosingSum(sizes, larger(value.lower.magnitude, value.upper.magnitude)).up
    }
    let reach = up(sizes, Base.rounding(DoubleDouble(error), .up))
    return Self(
      lower: Base.enclosingSum(total.lower, -reach).down,
      upper: Base.enclosingSum(total.upper, reach).up, isDecided: total.isDecided)
  }

  public static func sin(_ x: Self) -> Self {
    if x.isPoint && x.lower == 0 { return x }
    let quarter = DoubleDouble(-0.25)
    return wave(x, largestAt: -quarter, smallestAt: quarter) { DoubleDouble.sin($0) }
  }

  public static func cos(_ x: Self) -> Self {
    if x.isPoint && x.lower == 0 { return Self(lower: 1, upper: 1, isDecided: x.isDecided) }
    return wave(x, largestAt: 0, smallestAt: DoubleDouble(0.5)) { DoubleDouble.cos($0) }
  }

  /// The image under a wave of period 2π, with its extrema given in periods.
  @inline(__always)
  private static func wave(
    _ x: Self, largestAt top: DoubleDouble, smallestAt bottom: DoubleDouble,
    _ f: (DoubleDouble) -> DoubleDouble
  ) -> Self {
    if x.isNaN || x.isInfinitePoint {
      return undefined(x.isDecided)
    }
    let (low, high) = (x.lower.extended, x.upper.extended)
    let reach = 0x1p20
    guard -reach <= low.hi, high.hi <= reach else {
      return Self(lower: -1, upper: 1, isDecided: x.isDecided)
    }
    let first = Base.enclosing(f(low))
    let last = x.isPoint ? first : Base.enclosing(f(high))
    let holdsTop = !x.isPoint && mayHold(top, between: low, and: high)
    let holdsBottom = !x.isPoint && mayHold(bottom, between: low, and: high)
    return Self(
      lower: holdsBottom ? -1 : larger(smaller(first.down, last.down), -1),
      upper: holdsTop ? 1 : smaller(larger(first.up, last.up), 1),
      isDecided: x.isDecided)
  }

  /// Whether a multiple of 2π plus `phase` periods lies, or nearly lies, between two angles.
  private static func mayHold(
    _ phase: DoubleDouble, between low: DoubleDouble, and high: DoubleDouble
  ) -> Bool {
    let period = DoubleDouble.pi + DoubleDouble.pi
    let first = low / period - phase - DoubleDouble(0x1p-70)
    let last = high / period - phase + DoubleDouble(0x1p-70)
    let whole = last.hi.rounded(.down)
    let floor = last.hi == whole && last.lo < 0 ? whole - 1 : whole
    return !(DoubleDouble(floor) .< first)
  }

  /// Increasing in every argument, so its bounds are those of the bounds.
  public static func logSumExp(_ x: [Self]) -> Self {
    let decided = x.allSatisfy(\.isDecided)
    if x.contains(where: \.isNaN) { return undefined(decided) }
    let image = Self(
      Bounds(
        logSumExp(x.map(\.lower.extended)).down,
        logSumExp(x.map(\.upper.extended)).up), decided)
    guard Base.composes, let largest = indexOfLargest(x) else { return image }
    let shift = x[largest]
    let powers = x.indices.map { $0 == largest ? 1 : exp(x[$0] - shift) }
    return image.joined(with: shift + log(sum(powers)))
  }

  private static func logSumExp(_ x: [DoubleDouble]) -> Bounds<Base> {
    let (largest, tail) = DoubleDouble.logSumExpParts(x)
    guard largest.isFinite, x.count(where: { $0.isFinite }) > 1 else {
      return Bounds(Base.rounding(largest, .down), Base.rounding(largest, .up))
    }
    let tails = DoubleDouble.enclosing(tail, relative: 0x1p-97 + Double(x.count) * 0x1p-103)
    let positive = tails.down < 0 ? 0 : tails.down
    return Bounds(
      Base.rounding(DoubleDouble.enclosingSum(largest, positive).down, .down),
      Base.rounding(DoubleDouble.enclosingSum(largest, tails.up).up, .up))
  }
}

extension Interval where Base == Double {
  /// The point, without which both general initializers would do.
  @inline(__always)
  public init(_ point: Double) { self.init(lower: point, upper: point) }
}
