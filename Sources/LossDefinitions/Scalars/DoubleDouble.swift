/// An unevaluated sum of two doubles, about 106 bits: what a loss really is.
///
/// A finite value is normalized: `hi` is the double nearest to `hi + lo`. Of a NaN or an infinity
/// `lo` is 0. With u = 2^−53, and away from underflow, the errors are those proved by Joldes, Muller
/// and Popescu, "Tight and rigorous error bounds for basic building blocks of double-word
/// arithmetic" (2017); where a part of the result is below 2^−1022, an absolute error of at most
/// 2^−1070 adds to them.
public struct DoubleDouble: Scalar, Equatable {
  public let hi: Double
  public let lo: Double

  /// The sum of a double and a smaller one, which must be normalized.
  @inline(__always)
  public init(_ hi: Double, _ lo: Double) {
    self.hi = hi
    self.lo = lo
  }

  @inline(__always)
  public init(_ value: Double) { self.init(value, 0) }
  public init(floatLiteral value: Double) { self.init(value, 0) }
  public init(integerLiteral value: Int) { self.init(Double(value), 0) }

  public static var pi: Self { Self(0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53) }
  public static var infinity: Self { Self(.infinity, 0) }
  public static var nan: Self { Self(.nan, 0) }
  static var halfPi: Self { Self(0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54) }
  static var ln2: Self { Self(0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56) }

  public var isNaN: Bool { hi.isNaN }
  public var isFinite: Bool { hi.isFinite }
  public var magnitude: Self { hi.sign == .minus ? -self : self }
  public var detached: Self { self }
  public var primal: Double { hi }

  /// The exact sum.
  @inline(__always)
  static func sum(_ a: Double, _ b: Double) -> Self {
    let s = a + b
    let t = s - a
    return Self(s, (a - (s - t)) + (b - t))
  }

  /// The exact sum, where |a| ≥ |b| or a is 0.
  @inline(__always)
  static func quickSum(_ a: Double, _ b: Double) -> Self {
    let s = a + b
    return Self(s, b - (s - a))
  }

  /// The exact product, away from underflow.
  @inline(__always)
  static func product(_ a: Double, _ b: Double) -> Self {
    let p = a * b
    return Self(p, (-p).addingProduct(a, b))
  }

  /// Relative error at most 3u² + 13u³.
  @inline(__always)
  public static func + (a: Self, b: Self) -> Self {
    let s = sum(a.hi, b.hi)
    let t = sum(a.lo, b.lo)
    let v = quickSum(s.hi, s.lo + t.hi)
    let z = quickSum(v.hi, t.lo + v.lo)
    return z.hi.isFinite ? z : overflowed(s.hi)
  }

  @inline(__always)
  public static func - (a: Self, b: Self) -> Self { a + (-b) }

  @inline(__always)
  public static prefix func - (a: Self) -> Self { Self(-a.hi, -a.lo) }

  /// Relative error at most 5u².
  @inline(__always)
  public static func * (a: Self, b: Self) -> Self {
    let p = product(a.hi, b.hi)
    let z = quickSum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi))
    return z.hi.isFinite ? z : overflowed(p.hi)
  }

  @inline(__always)
  static func * (a: Self, b: Double) -> Self { a * Self(b) }

  /// Relative error at most 15u² + 56u³.
  @inline(__always)
  public static func / (a: Self, b: Self) -> Self {
    let q = a.hi / b.hi
    guard isMiddling(a.hi), isMiddling(q) else { return scaledQuotient(a, b) }
    return middlingQuotient(a, b)
  }

  @inline(__always)
  private static func middlingQuotient(_ a: Self, _ b: Self) -> Self {
    let q = a.hi / b.hi
    let p = product(b.hi, q)
    let r = quickSum(p.hi, p.lo + b.lo * q)
    let rest = (a.hi - r.hi) + (a.lo - r.lo)
    return quickSum(q, rest / b.hi)
  }

  /// The quotient of numbers whose remainder might underflow or overflow.
  @inline(never)
  private static func scaledQuotient(_ a: Self, _ b: Self) -> Self {
    guard a.hi.isFinite, b.hi.isFinite, a.hi != 0, b.hi != 0 else { return Self(a.hi / b.hi) }
    let (i, j) = (Int(a.hi.exponent), Int(b.hi.exponent))
    return middlingQuotient(a.scaled(by: -i), b.scaled(by: -j)).scaled(by: i - j)
  }

  @inline(__always)
  private static func isMiddling(_ x: Double) -> Bool {
    x.magnitude > 0x1p-900 && x.magnitude < 0x1p900
  }

  /// Relative error at most 25/8 u².
  public static func sqrt(_ x: Self) -> Self {
    guard isMiddling(x.hi) else {
      guard x.hi > 0, x.hi.isFinite else { return Self(x.hi.squareRoot()) }
      let half = Int(x.hi.exponent) >> 1
      return sqrt(x.scaled(by: -2 * half)).scaled(by: half)
    }
    guard x.hi > 0 else { return .nan }
    let s = x.hi.squareRoot()
    let rest = x.hi.addingProduct(-s, s) + x.lo
    return quickSum(s, rest / (s + s))
  }

  @inline(__always)
  public static func .< (a: Self, b: Self) -> Bool { a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo) }

  @inline(__always)
  public static func select(_ condition: Bool, _ a: Self, _ b: Self) -> Self { condition ? a : b }

  /// The infinity or NaN that a high part says, or the infinity that a carry led to.
  @inline(never)
  private static func overflowed(_ high: Double) -> Self {
    high.isFinite ? Self(.infinity * high) : Self(high)
  }

  /// This times a power of two, each part rounded once where it underflows.
  func scaled(by exponent: Int) -> Self {
    if exponent >= -1022 && exponent <= 1023 {
      let power = Double(bitPattern: UInt64(exponent + 1023) << 52)
      let high = hi * power
      return high.isFinite ? Self(high, lo * power) : Self(high)
    }
    if exponent > 0 {
      return exponent > 2200
        ? scaled(by: 1023).scaled(by: 1023).scaled(by: 1023)
        : scaled(by: 1023).scaled(by: exponent - 1023)
    }
    return exponent < -3300
      ? Self(hi * 0)
      : scaled(by: -1022).scaled(by: exponent + 1022)
  }
}
