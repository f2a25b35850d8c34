import CLanes

/// A number of the format that the thread's rounding names: `Interval<Narrow>` holds what a program
/// may compute in that format.
///
/// The format is no type, so that a reference is compiled once for all of them; `Narrow.rounding` sets
/// it for the duration of a call, outside of which it is Double. Operations round outward to the
/// neighbouring numbers of the format. A function may be off by 4 ulp besides, since those of the
/// libraries are.
public struct Narrow: Scalar, Equatable {
  public let value: Double

  /// The value itself, which must be a number of the format or stand for an index.
  @inline(__always)
  init(exactly value: Double) { self.value = value }

  /// The nearest number of the format.
  @inline(__always)
  public init(_ value: Double) { self.value = Self.nearest(value) }
  public init(floatLiteral value: Double) { self.init(value) }
  public init(integerLiteral value: Int) { self.init(Double(value)) }

  public static var pi: Self { Self(Double.pi) }
  public var detached: Self { self }
  public var primal: Double { value }

  /// Runs `body` with this thread's narrow numbers rounded so.
  public static func rounding<R>(_ rounding: Rounding, _ body: () -> R) -> R {
    let record = narrow_rounding()!
    let before = record.pointee
    defer { record.pointee = before }
    let format = rounding.format
    let isDouble = format == .f64
    record.pointee = narrow_record(
      dropped: UInt64(1) << UInt64(53 - format.precision) - 1,
      least_normal: format.leastNormal, step: isDouble ? 0 : format.leastNonzero,
      per_step: isDouble ? 0 : 1 / format.leastNonzero, greatest: format.greatest,
      function_error: 8 * format.unit, unit: format.unit, flushes: rounding.flushes ? 1 : 0,
      everywhere: rounding.everywhere ? 1 : 0)
    return body()
  }

  // MARK: To the nearest

  @inline(__always)
  private static func nearest(_ x: Double) -> Double {
    let record = narrow_rounding()!.pointee
    guard
      x.bitPattern & record.dropped != 0 || x.magnitude < record.least_normal && x != 0
        || x.magnitude > record.greatest
    else { return x }
    return nearestInexact(x)
  }

  @inline(never)
  private static func nearestInexact(_ x: Double) -> Double {
    let record = narrow_rounding()!.pointee
    guard record.dropped != 0, x.isFinite, x != 0 else { return x }
    if x.magnitude < record.least_normal {
      return (x * record.per_step).rounded(.toNearestOrEven) * record.step
    }
    let half = record.dropped >> 1
    let odd = x.bitPattern >> UInt64(64 - record.dropped.leadingZeroBitCount) & 1
    let rounded = Double(bitPattern: (x.bitPattern + half + odd) & ~record.dropped)
    return rounded.magnitude > record.greatest ? .infinity * rounded : rounded
  }

  public static func + (a: Self, b: Self) -> Self { Self(a.value + b.value) }
  public static func - (a: Self, b: Self) -> Self { Self(a.value - b.value) }
  public static func * (a: Self, b: Self) -> Self { Self(a.value * b.value) }
  public static func / (a: Self, b: Self) -> Self { Self(a.value / b.value) }
  public static prefix func - (a: Self) -> Self { Self(exactly: -a.value) }
  public static func .< (a: Self, b: Self) -> Bool { a.value < b.value }
  public static func select(_ condition: Bool, _ a: Self, _ b: Self) -> Self { condition ? a : b }
  public static func sqrt(_ x: Self) -> Self { Self(.sqrt(x.value)) }
  public static func exp(_ x: Self) -> Self { Self(.exp(x.value)) }
  public static func expm1(_ x: Self) -> Self { Self(.expm1(x.value)) }
  public static func log(_ x: Self) -> Self { Self(.log(x.value)) }
  public static func log1p(_ x: Self) -> Self { Self(.log1p(x.value)) }
  public static func pow(_ x: Self, _ y: Self) -> Self { Self(.pow(x.value, y.value)) }
  public static func atan(_ x: Self) -> Self { Self(.atan(x.value)) }
  public static func sin(_ x: Self) -> Self { Self(.sin(x.value)) }
  public static func cos(_ x: Self) -> Self { Self(.cos(x.value)) }
  public static func tanh(_ x: Self) -> Self { Self(.tanh(x.value)) }
  public static func sigmoid(_ x: Self) -> Self { Self(.sigmoid(x.value)) }
  public static func softplus(_ x: Self) -> Self { Self(.softplus(x.value)) }
  public static func logSumExp(_ x: [Self]) -> Self { Self(.logSumExp(x.map(\.value))) }
}

extension Narrow: IntervalBase {
  public var isNaN: Bool { value.isNaN }
  public var isFinite: Bool { value.isFinite }
  public var magnitude: Self { Self(exactly: value.magnitude) }
  public var extended: DoubleDouble { DoubleDouble(value) }

  @inline(__always)
  public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
  @inline(__always)
  public static func <= (a: Self, b: Self) -> Bool { a.value <= b.value }

  /// The two formulas of one function, of which programs have either.
  public static var composes: Bool { true }
  public static var functionError: Double { narrow_rounding()!.pointee.function_error }

  public static func orderError(of count: Int) -> Double {
    let part = Double(Swift.max(0, count - 1)) * narrow_rounding()!.pointee.unit
    return part < 1 ? part / (1 - part) : .infinity
  }

  @inline(__always)
  public static func enclosingSum(_ a: Self, _ b: Self) -> Bounds<Self> {
    let (x, y) = (a.value, b.value)
    let s = x + y
    guard s.isFinite else { return overflowed(s, x, y) }
    let t = s - x
    return outward(s, rest: (x - (s - t)) + (y - t), mayRound: x != 0 && y != 0)
  }

  @inline(__always)
  public static func enclosingProduct(_ a: Self, _ b: Self) -> Bounds<Self> {
    let (x, y) = (a.value, b.value)
    let p = x * y
    if x == 0 || y == 0 { return Bounds(Self(exactly: p)) }
    guard p.isFinite else { return overflowed(p, x, y) }
    // Products of 24 bits are exact in Double.
    let rest = isDouble ? (p.magnitude > safe ? (-p).addingProduct(x, y) : .nan) : 0
    return outward(p, rest: rest, mayRound: !isPowerOfTwo(x) && !isPowerOfTwo(y))
  }

  @inline(__always)
  public static func enclosingQuotient(_ a: Self, _ b: Self) -> Bounds<Self> {
    let (x, y) = (a.value, b.value)
    let q = x / y
    if x == 0 || y == 0 { return Bounds(Self(exactly: q)) }
    guard q.isFinite, y.isFinite else { return overflowed(q, x, y) }
    // A quotient of 24 bits that is none itself is further from the format than Double's half ulp.
    var rest = 0.0
    if isDouble {
      rest = q.magnitude > safe && x.magnitude > safe ? x.addingProduct(-q, y) : .nan
      if y < 0 { rest.negate() }
    }
    return outward(q, rest: rest, mayRound: !isPowerOfTwo(y))
  }

  @inline(__always)
  public static func enclosingRoot(_ x: Self) -> Bounds<Self> {
    let s = x.value.squareRoot()
    guard s.isFinite, s > 0 else { return Bounds(Self(exactly: s)) }
    let rest = isDouble ? (x.value > safe ? x.value.addingProduct(-s, s) : .nan) : 0
    return outward(s, rest: rest, mayRound: true)
  }

  public static func rounding(_ value: DoubleDouble, _ rule: FloatingPointRoundingRule) -> Self {
    guard value.isFinite else { return Self(exactly: value.hi) }
    let bounds = outward(value.hi, rest: value.lo, mayRound: false)
    return rule == .down ? bounds.down : bounds.up
  }

  @inline(__always)
  private static var isDouble: Bool { narrow_rounding()!.pointee.dropped == 0 }

  /// Below this the rest of a product of Doubles may not be representable.
  private static var safe: Double { 0x1p-960 }

  @inline(__always)
  private static func isPowerOfTwo(_ x: Double) -> Bool { x.significandBitPattern == 0 }

  /// Bounds of a result that is infinite or NaN, or of a quotient by an infinity.
  @inline(never)
  private static func overflowed(_ result: Double, _ a: Double, _ b: Double) -> Bounds<Self> {
    guard a.isFinite, b.isFinite else { return Bounds(Self(exactly: result)) }
    let greatest = narrow_rounding()!.pointee.greatest
    return result > 0
      ? Bounds(Self(exactly: greatest), Self(exactly: .infinity))
      : Bounds(Self(exactly: -.infinity), Self(exactly: -greatest))
  }

  /// The format's neighbours of a finite `r` plus a rest smaller than half its ulp, whose sign decides
  /// where `r` is one itself; a rest of NaN is not known.
  @inline(__always)
  private static func outward(_ r: Double, rest: Double, mayRound: Bool) -> Bounds<Self> {
    let record = narrow_rounding()!.pointee
    guard r.magnitude > record.least_normal, r.magnitude < record.greatest, record.flushes == 0
    else {
      if r == 0, rest == 0, record.everywhere == 0 { return Bounds(Self(exactly: r)) }
      return outwardAtTheEnds(r, rest: rest, mayRound: mayRound)
    }
    let bits = r.bitPattern
    let toward = bits & ~record.dropped
    let next = toward &+ record.dropped &+ 1
    if toward != bits {
      let (near, far) = (Double(bitPattern: toward), Double(bitPattern: next))
      return r > 0
        ? Bounds(Self(exactly: near), Self(exactly: far))
        : Bounds(Self(exactly: far), Self(exactly: near))
    }
    let around = mayRound && record.everywhere != 0
    if rest == 0 && !around { return Bounds(Self(exactly: r)) }
    let inner = Double(bitPattern: bits &- record.dropped &- 1)
    let outer = Double(bitPattern: next)
    let (below, above) = r > 0 ? (inner, outer) : (outer, inner)
    return Bounds(
      Self(exactly: rest >= 0 && !around ? r : below),
      Self(exactly: rest <= 0 && !around ? r : above))
  }

  /// The same near 0, near the largest number, and where subnormal results may be 0.
  @inline(never)
  private static func outwardAtTheEnds(
    _ r: Double, rest: Double, mayRound: Bool
  ) -> Bounds<Self> {
    let record = narrow_rounding()!.pointee
    let around = mayRound && record.everywhere != 0
    // The numbers of the format at or below r and at or above it.
    var (down, up) = (r, r)
    var step = record.step
    if record.dropped == 0 {
      (down, up) = (rest >= 0 && !around ? r : r.nextDown, rest <= 0 && !around ? r : r.nextUp)
    } else {
      if r.magnitude > record.least_normal {
        let scale = record.dropped + 1
        step = r.ulp * Double(scale)
      }
      down = (r / step).rounded(.down) * step
      up = (r / step).rounded(.up) * step
      if down == up {
        if !(rest >= 0) || around { down -= step }
        if !(rest <= 0) || around { up += step }
      }
      if up > record.greatest { up = .infinity }
      if down > record.greatest { down = record.greatest }
      if down < -record.greatest { down = -.infinity }
      if up < -record.greatest { up = -record.greatest }
    }
    if record.flushes != 0 {
      if down > 0 && down < record.least_normal { down = 0 }
      if up < 0 && -up < record.least_normal { up = 0 }
    }
    return Bounds(Self(exactly: down), Self(exactly: up))
  }
}

extension Interval where Base == Narrow {
  /// An operand: a number of the format, or also 0 where it is subnormal and the program flushes.
  static func operand(_ value: Double) -> Self {
    let record = narrow_rounding()!.pointee
    let point = Narrow(value)
    guard record.flushes != 0, value != 0, value.magnitude < record.least_normal else {
      return Self(lower: point, upper: point)
    }
    return value > 0 ? Self(lower: 0, upper: point) : Self(lower: point, upper: 0)
  }
}
