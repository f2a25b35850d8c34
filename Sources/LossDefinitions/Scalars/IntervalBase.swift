/// A lower and an upper bound of one real number.
public struct Bounds<Base: IntervalBase>: Sendable {
  public let down: Base
  public let up: Base

  @inline(__always)
  public init(_ down: Base, _ up: Base) {
    self.down = down
    self.up = up
  }

  @inline(__always)
  public init(_ exact: Base) { self.init(exact, exact) }

  var isNaN: Bool { down.isNaN || up.isNaN }
  /// These bounds, both NaN if either is.
  @inline(__always)
  var consistent: Self { down.isNaN ? Self(down) : up.isNaN ? Self(up) : self }
}

/// A number whose operations can be rounded outward.
///
/// Where an operation is exact both bounds are its result. An infinity or NaN that comes of one is
/// exact too; of finite operands too large a result lies between the largest number and infinity.
public protocol IntervalBase: Scalar, Equatable where Condition == Bool {
  var isNaN: Bool { get }
  var isFinite: Bool { get }
  var magnitude: Self { get }
  /// The same value; every base fits.
  var extended: DoubleDouble { get }

  static func < (a: Self, b: Self) -> Bool
  static func <= (a: Self, b: Self) -> Bool

  static func enclosingSum(_ a: Self, _ b: Self) -> Bounds<Self>
  static func enclosingProduct(_ a: Self, _ b: Self) -> Bounds<Self>
  static func enclosingQuotient(_ a: Self, _ b: Self) -> Bounds<Self>
  static func enclosingRoot(_ x: Self) -> Bounds<Self>

  /// Whether a function that has a plain formula may be computed by it: `log(1 + exp(x))`.
  static var composes: Bool { get }
  /// What a computed function may be off by, relatively, beyond the format.
  static var functionError: Double { get }
  /// What a sum of `count` numbers may be off by in any order, in parts of the sum of their sizes.
  static func orderError(of count: Int) -> Double

  /// The nearest number of this type on one side.
  static func rounding(_ value: DoubleDouble, _ rule: FloatingPointRoundingRule) -> Self
}

extension IntervalBase {
  public static var composes: Bool { false }
  public static var functionError: Double { 0 }
  public static func orderError(of count: Int) -> Double { 0 }

  /// Bounds of a function's value, computed from finite arguments to a relative error of half of
  /// `relative` and an absolute error of 2^−1070.
  static func enclosing(_ value: DoubleDouble, relative: Double = 0x1p-97) -> Bounds<Self> {
    guard value.isFinite else {
      let largest = DoubleDouble(.greatestFiniteMagnitude)
      return value.isNaN
        ? Bounds(rounding(value, .down))
        : value.hi > 0
          ? Bounds(rounding(largest, .down), rounding(value, .up))
          : Bounds(rounding(value, .down), rounding(-largest, .up))
    }
    let margin = value.hi.magnitude * (relative + functionError) + 0x1p-1069
    return Bounds(
      rounding(DoubleDouble.quickSum(value.hi, value.lo - margin), .down),
      rounding(DoubleDouble.quickSum(value.hi, value.lo + margin), .up))
  }
}

extension IntervalBase where Self: BinaryFloatingPoint {
  public var isNaN: Bool { self != self }

  /// Bounds from a nearest result and the sign of what it lacks.
  @inline(__always)
  private static func bounds(_ nearest: Self, rest: Self) -> Bounds<Self> {
    rest > 0
      ? Bounds(nearest, nearest.nextUp)
      : rest < 0 ? Bounds(nearest.nextDown, nearest) : Bounds(nearest)
  }

  /// Bounds of a result that is infinite though its operands are not, or whose rest is not known.
  @inline(__always)
  private static func neighbors(_ nearest: Self) -> Bounds<Self> {
    nearest.isFinite
      ? Bounds(nearest.nextDown, nearest.nextUp)
      : nearest > 0
        ? Bounds(Self.greatestFiniteMagnitude, nearest)
        : Bounds(nearest, -Self.greatestFiniteMagnitude)
  }

  /// Below this a product's rest may not be representable.
  @inline(__always)
  private static var safe: Self {
    4 * Self.leastNormalMagnitude / Self.ulpOfOne
  }

  @inline(__always)
  public static func enclosingSum(_ a: Self, _ b: Self) -> Bounds<Self> {
    let s = a + b
    guard s.isFinite else {
      return a.isFinite && b.isFinite ? neighbors(s) : Bounds(s)
    }
    let t = s - a
    let rest = (a - (s - t)) + (b - t)
    return rest.isFinite ? bounds(s, rest: rest) : neighbors(s)
  }

  @inline(__always)
  public static func enclosingProduct(_ a: Self, _ b: Self) -> Bounds<Self> {
    let p = a * b
    guard p.isFinite, p.magnitude > safe else {
      if a == 0 || b == 0 || !a.isFinite || !b.isFinite { return Bounds(p) }
      return neighbors(p)
    }
    return bounds(p, rest: (-p).addingProduct(a, b))
  }

  @inline(__always)
  public static func enclosingQuotient(_ a: Self, _ b: Self) -> Bounds<Self> {
    let q = a / b
    guard q.isFinite, q.magnitude > safe, a.magnitude > safe else {
      if a == 0 || b == 0 || !a.isFinite || !b.isFinite { return Bounds(q) }
      return neighbors(q)
    }
    let rest = a.addingProduct(-q, b)
    return bounds(q, rest: b < 0 ? -rest : rest)
  }

  @inline(__always)
  public static func enclosingRoot(_ x: Self) -> Bounds<Self> {
    let s = x.squareRoot()
    guard s.isFinite, x > safe else {
      return x > 0 && x.isFinite ? neighbors(s) : Bounds(s)
    }
    return bounds(s, rest: x.addingProduct(-s, s))
  }
}

extension Double: IntervalBase {
  public var extended: DoubleDouble { DoubleDouble(self) }

  public static func rounding(_ value: DoubleDouble, _ rule: FloatingPointRoundingRule) -> Double {
    if rule == .down { return value.lo < 0 ? value.hi.nextDown : value.hi }
    return value.lo > 0 ? value.hi.nextUp : value.hi
  }
}

extension Float: IntervalBase {
  public var extended: DoubleDouble { DoubleDouble(Double(self)) }

  public static func rounding(_ value: DoubleDouble, _ rule: FloatingPointRoundingRule) -> Float {
    let bound = Double.rounding(value, rule)
    let nearest = Float(bound)
    if rule == .down { return Double(nearest) > bound ? nearest.nextDown : nearest }
    return Double(nearest) < bound ? nearest.nextUp : nearest
  }
}

/// Bounds are the computed result moved by 2^−101 of it and 2^−1069, more than the proven errors.
extension DoubleDouble: IntervalBase {
  public var extended: DoubleDouble { self }

  @inline(__always)
  public static func < (a: Self, b: Self) -> Bool { a .< b }
  @inline(__always)
  public static func <= (a: Self, b: Self) -> Bool {
    a.hi < b.hi || (a.hi == b.hi && a.lo <= b.lo)
  }

  public static func rounding(
    _ value: DoubleDouble, _ rule: FloatingPointRoundingRule
  ) -> DoubleDouble { value }

  @inline(__always)
  private static func moved(_ value: Self, exactIf isExact: Bool) -> Bounds<Self> {
    guard !isExact else { return Bounds(value) }
    return enclosing(value, relative: 0x1p-101)
  }

  @inline(__always)
  public static func enclosingSum(_ a: Self, _ b: Self) -> Bounds<Self> {
    let s = sum(a.hi, b.hi)
    let t = sum(a.lo, b.lo)
    let c = sum(s.lo, t.hi)
    let v = quickSum(s.hi, c.hi)
    let w = sum(t.lo, v.lo)
    let z = quickSum(v.hi, w.hi)
    guard z.hi.isFinite else {
      let value = a + b
      return a.isFinite && b.isFinite ? enclosing(value) : Bounds(value)
    }
    return moved(z, exactIf: c.lo == 0 && w.lo == 0)
  }

  @inline(__always)
  public static func enclosingProduct(_ a: Self, _ b: Self) -> Bounds<Self> {
    let value = a * b
    guard value.isFinite, value.hi.magnitude > 0x1p-900 else {
      return moved(value, exactIf: !a.isFinite || !b.isFinite || a.hi == 0 || b.hi == 0)
    }
    return moved(
      value,
      exactIf: (a.lo == 0 && b.lo == 0)
        || (isKept(value) && (isPowerOfTwo(a) || isPowerOfTwo(b))))
  }

  @inline(__always)
  public static func enclosingQuotient(_ a: Self, _ b: Self) -> Bounds<Self> {
    let value = a / b
    guard value.isFinite, value.hi.magnitude > 0x1p-900, a.hi.magnitude > 0x1p-900 else {
      return moved(value, exactIf: !a.isFinite || !b.isFinite || a.hi == 0 || b.hi == 0)
    }
    let isExact =
      a == b
      || (isPowerOfTwo(b) && isKept(value))
      || (b.lo == 0 && value.lo == 0 && product(value.hi, b.hi) == a)
    return moved(value, exactIf: isExact)
  }

  @inline(__always)
  public static func enclosingRoot(_ x: Self) -> Bounds<Self> {
    let value = sqrt(x)
    let isExact =
      !x.isFinite || x.hi == 0
      || (value.lo == 0 && x.hi > 0x1p-900 && product(value.hi, value.hi) == x)
    return moved(value, exactIf: isExact)
  }

  @inline(__always)
  private static func isPowerOfTwo(_ x: Self) -> Bool {
    x.lo == 0 && x.hi.bitPattern & 0xf_ffff_ffff_ffff == 0
  }

  /// Whether a low part that a power of two was multiplied with cannot have underflowed.
  @inline(__always)
  private static func isKept(_ x: Self) -> Bool { x.lo.magnitude > 0x1p-960 }
}
