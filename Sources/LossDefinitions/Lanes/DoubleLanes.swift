public import CLanes

/// Four doubles: two SSE or NEON registers, or one of AVX.
public struct DoubleLanes: Lanes {
  public var vector: SIMD4<Double>

  @inline(always) public init(_ vector: SIMD4<Double>) { self.vector = vector }
  @inline(always) public init(repeating value: Double) { vector = SIMD4<Double>(repeating: value) }
  @inline(always) public init(_ source: UnsafePointer<Double>) {
    vector = UnsafeRawPointer(source).loadUnaligned(as: SIMD4<Double>.self)
  }
  @inline(always) public func store(_ destination: UnsafeMutablePointer<Double>) {
    UnsafeMutableRawPointer(destination).storeBytes(of: vector, as: SIMD4<Double>.self)
  }
  @inline(always) public static var count: Int { 4 }
  @inline(always) public subscript(lane: Int) -> Double {
    get { vector[lane] }
    set { vector[lane] = newValue }
  }

  @inline(always) public static func + (a: Self, b: Self) -> Self { Self(a.vector + b.vector) }
  @inline(always) public static func - (a: Self, b: Self) -> Self { Self(a.vector - b.vector) }
  @inline(always) public static func * (a: Self, b: Self) -> Self { Self(a.vector * b.vector) }
  @inline(always) public static func / (a: Self, b: Self) -> Self { Self(a.vector / b.vector) }
  @inline(always) public static prefix func - (a: Self) -> Self { Self(lanes_negate_d4(a.vector)) }

  @inline(always) public static func .< (a: Self, b: Self) -> DoubleLaneMask {
    DoubleLaneMask(lanes_less_d4(a.vector, b.vector))
  }
  @inline(always) public static func .<= (a: Self, b: Self) -> DoubleLaneMask {
    DoubleLaneMask(lanes_less_equal_d4(a.vector, b.vector))
  }
  @inline(always) public static func .== (a: Self, b: Self) -> DoubleLaneMask {
    DoubleLaneMask(lanes_equal_d4(a.vector, b.vector))
  }
  @inline(always) public static func select(_ mask: DoubleLaneMask, _ a: Self, _ b: Self) -> Self {
    Self(lanes_select_d4(mask.bits, a.vector, b.vector))
  }
  @inline(always) public static func max(_ a: Self, _ b: Self) -> Self {
    Self(lanes_max_d4(a.vector, b.vector))
  }
  @inline(always) public static func min(_ a: Self, _ b: Self) -> Self {
    Self(lanes_min_d4(a.vector, b.vector))
  }
  @inline(always) public static func abs(_ x: Self) -> Self { Self(lanes_abs_d4(x.vector)) }
  @inline(always) public static func sqrt(_ x: Self) -> Self { Self(lanes_sqrt_d4(x.vector)) }
  @inline(always) public static func copySign(_ x: Self, from y: Self) -> Self {
    Self(lanes_copy_sign_d4(x.vector, y.vector))
  }

  @inline(always) public static func evens(_ a: Self, _ b: Self) -> Self {
    Self(lanes_evens_d4(a.vector, b.vector))
  }
  @inline(always) public static func odds(_ a: Self, _ b: Self) -> Self {
    Self(lanes_odds_d4(a.vector, b.vector))
  }
  @inline(always) public static func zipLow(_ a: Self, _ b: Self) -> Self {
    Self(lanes_zip_low_d4(a.vector, b.vector))
  }
  @inline(always) public static func zipHigh(_ a: Self, _ b: Self) -> Self {
    Self(lanes_zip_high_d4(a.vector, b.vector))
  }

  @inline(always) public static func upperHalf(_ x: Self) -> Self {
    Self(lanes_upper_half_d4(x.vector))
  }
  @inline(always) public static func powerOfTwo(_ n: Self) -> Self {
    Self(lanes_power_of_two_d4(n.vector))
  }
  @inline(always) public static func decomposed(
    _ x: Self
  ) -> (exponent: Self, mantissa: Self) {
    let subnormal = x .< Self(repeating: .leastNormalMagnitude)
    let normal = select(subnormal, x * Self(repeating: 0x1p54), x)
    let exponent = Self(lanes_exponent_d4(normal.vector))
    let mantissa = Self(lanes_mantissa_d4(normal.vector))
    return (exponent - select(subnormal, Self(repeating: 54), .zero), mantissa)
  }

  @inline(always) public static var roundingShift: Double { 0x1.8p52 }
  @inline(always) public static var ln2High: Double { 0x1.62e42fefa4p-1 }
  @inline(always) public static var ln2Low: Double { -0x1.8432a1b0e2634p-43 }
  @inline(always) public static var twoThirdsLow: Double { 0x1.5555555555555p-55 }
  @inline(always) public static var quarterPiLow: Double { 0x1.1a62633145c07p-55 }
  @inline(always) public static var halfPiParts: (Double, Double, Double, Double) {
    (0x1.921fb5p0, 0x1.110b46p-26, 0x1.1a6263p-54, 0x1.8a2e03707344ap-81)
  }
  @inline(always) public static var arctangentLimit: Double { 0x1p60 }
  @inline(always) public static var exponentialRange: (low: Double, high: Double) { (-746, 710) }

  /// Error of r² q(r): 2^-61.6.
  @inline(always) public static func exponentialTail(_ r: Self) -> Self {
    var p = Self(repeating: 0x1.1f7340dbc337ep-29)
    p = horner(p, r, 0x1.af4e554377204p-26)
    p = horner(p, r, 0x1.27e4db46cddd1p-22)
    p = horner(p, r, 0x1.71de01fdbf9cap-19)
    p = horner(p, r, 0x1.a01a01a6e1e2ap-16)
    p = horner(p, r, 0x1.a01a01abf85abp-13)
    p = horner(p, r, 0x1.6c16c16c162c3p-10)
    p = horner(p, r, 0x1.11111111100bep-7)
    p = horner(p, r, 0x1.5555555555556p-5)
    p = horner(p, r, 0x1.5555555555557p-3)
    p = horner(p, r, 0x1p-1)
    return p
  }

  /// Error of the logarithm: 2^-66.4, relatively.
  @inline(always) public static func logarithmTail(_ z: Self) -> Self {
    var p = Self(repeating: 0x1.e03a7acf07f85p-4)
    p = horner(p, z, 0x1.df7ba1f4809c3p-4)
    p = horner(p, z, 0x1.1118cd67251c5p-3)
    p = horner(p, z, 0x1.3b1395b82701ep-3)
    p = horner(p, z, 0x1.745d177ad436ap-3)
    p = horner(p, z, 0x1.c71c71c6ea5acp-3)
    p = horner(p, z, 0x1.2492492492522p-2)
    p = horner(p, z, 0x1.999999999999ap-2)
    return p
  }

  /// Error of the arctangent: 2^-57.0, relatively.
  @inline(always) public static func arctangentTail(_ z: Self) -> Self {
    var p = Self(repeating: -0x1.39f38ad451ea6p-6)
    p = horner(p, z, 0x1.41495cefb6c73p-5)
    p = horner(p, z, -0x1.a090d1950d2b4p-5)
    p = horner(p, z, 0x1.dfe49b2919c4ep-5)
    p = horner(p, z, -0x1.10fa5ee9ab25cp-4)
    p = horner(p, z, 0x1.3b126143b5cbcp-4)
    p = horner(p, z, -0x1.745d0b153ffadp-4)
    p = horner(p, z, 0x1.c71c7184c32bfp-4)
    p = horner(p, z, -0x1.24924924355d5p-3)
    p = horner(p, z, 0x1.999999999933dp-3)
    p = horner(p, z, -0x1.5555555555555p-2)
    return p
  }
}

/// A choice per lane: all bits of a lane are set, or none.
public struct DoubleLaneMask: LaneMask {
  public var bits: SIMD4<Int64>

  @inline(always) public init(_ bits: SIMD4<Int64>) { self.bits = bits }
  @inline(always) public static func & (a: Self, b: Self) -> Self {
    Self(lanes_and_d4(a.bits, b.bits))
  }
  @inline(always) public static func | (a: Self, b: Self) -> Self {
    Self(lanes_or_d4(a.bits, b.bits))
  }
  @inline(always) public static prefix func ! (a: Self) -> Self { Self(lanes_not_d4(a.bits)) }
}
