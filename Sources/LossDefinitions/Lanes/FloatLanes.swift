public import CLanes

/// Eight floats: two SSE or NEON registers, or one of AVX.
public struct FloatLanes: Lanes {
  public var vector: SIMD8<Float>

  @inline(always) public init(_ vector: SIMD8<Float>) { self.vector = vector }
  @inline(always) public init(repeating value: Float) { vector = SIMD8<Float>(repeating: value) }
  @inline(always) public init(_ source: UnsafePointer<Float>) {
    vector = UnsafeRawPointer(source).loadUnaligned(as: SIMD8<Float>.self)
  }
  @inline(always) public func store(_ destination: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(destination).storeBytes(of: vector, as: SIMD8<Float>.self)
  }
  @inline(always) public static var count: Int { 8 }
  @inline(always) public subscript(lane: Int) -> Float {
    get { vector[lane] }
    set { vector[lane] = newValue }
  }

  @inline(always) public static func + (a: Self, b: Self) -> Self { Self(a.vector + b.vector) }
  @inline(always) public static func - (a: Self, b: Self) -> Self { Self(a.vector - b.vector) }
  @inline(always) public static func * (a: Self, b: Self) -> Self { Self(a.vector * b.vector) }
  @inline(always) public static func / (a: Self, b: Self) -> Self { Self(a.vector / b.vector) }
  @inline(always) public static prefix func - (a: Self) -> Self { Self(lanes_negate_f8(a.vector)) }

  @inline(always) public static func .< (a: Self, b: Self) -> FloatLaneMask {
    FloatLaneMask(lanes_less_f8(a.vector, b.vector))
  }
  @inline(always) public static func .<= (a: Self, b: Self) -> FloatLaneMask {
    FloatLaneMask(lanes_less_equal_f8(a.vector, b.vector))
  }
  @inline(always) public static func .== (a: Self, b: Self) -> FloatLaneMask {
    FloatLaneMask(lanes_equal_f8(a.vector, b.vector))
  }
  @inline(always) public static func select(_ mask: FloatLaneMask, _ a: Self, _ b: Self) -> Self {
    Self(lanes_select_f8(mask.bits, a.vector, b.vector))
  }
  @inline(always) public static func max(_ a: Self, _ b: Self) -> Self {
    Self(lanes_max_f8(a.vector, b.vector))
  }
  @inline(always) public static func min(_ a: Self, _ b: Self) -> Self {
    Self(lanes_min_f8(a.vector, b.vector))
  }
  @inline(always) public static func abs(_ x: Self) -> Self { Self(lanes_abs_f8(x.vector)) }
  @inline(always) public static func sqrt(_ x: Self) -> Self { Self(lanes_sqrt_f8(x.vector)) }
  @inline(always) public static func copySign(_ x: Self, from y: Self) -> Self {
    Self(lanes_copy_sign_f8(x.vector, y.vector))
  }

  @inline(always) public static func evens(_ a: Self, _ b: Self) -> Self {
    Self(lanes_evens_f8(a.vector, b.vector))
  }
  @inline(always) public static func odds(_ a: Self, _ b: Self) -> Self {
    Self(lanes_odds_f8(a.vector, b.vector))
  }
  @inline(always) public static func zipLow(_ a: Self, _ b: Self) -> Self {
    Self(lanes_zip_low_f8(a.vector, b.vector))
  }
  @inline(always) public static func zipHigh(_ a: Self, _ b: Self) -> Self {
    Self(lanes_zip_high_f8(a.vector, b.vector))
  }

  @inline(always) public static func upperHalf(_ x: Self) -> Self {
    Self(lanes_upper_half_f8(x.vector))
  }
  @inline(always) public static func powerOfTwo(_ n: Self) -> Self {
    Self(lanes_power_of_two_f8(n.vector))
  }
  @inline(always) public static func decomposed(
    _ x: Self
  ) -> (exponent: Self, mantissa: Self) {
    let subnormal = x .< Self(repeating: .leastNormalMagnitude)
    let normal = select(subnormal, x * Self(repeating: 0x1p24), x)
    let exponent = Self(lanes_exponent_f8(normal.vector))
    let mantissa = Self(lanes_mantissa_f8(normal.vector))
    return (exponent - select(subnormal, Self(repeating: 24), .zero), mantissa)
  }

  @inline(always) public static var roundingShift: Float { 0x1.8p23 }
  @inline(always) public static var ln2High: Float { 0x1.62e4p-1 }
  @inline(always) public static var ln2Low: Float { 0x1.7f7d1cp-20 }
  @inline(always) public static var twoThirdsLow: Float { -0x1.555556p-26 }
  @inline(always) public static var quarterPiLow: Float { -0x1.777a5cp-26 }
  @inline(always) public static var halfPiParts: (Float, Float, Float, Float) {
    (0x1.92p0, 0x1.fb4p-12, 0x1.444p-24, 0x1.68c234p-39)
  }
  @inline(always) public static var arctangentLimit: Float { 0x1p30 }
  @inline(always) public static var exponentialRange: (low: Float, high: Float) { (-105, 90) }

  /// Error of r² q(r): 2^-30.8.
  @inline(always) public static func exponentialTail(_ r: Self) -> Self {
    var p = Self(repeating: 0x1.a1256cp-13)
    p = horner(p, r, 0x1.6d43b0p-10)
    p = horner(p, r, 0x1.1110e0p-7)
    p = horner(p, r, 0x1.5554e8p-5)
    p = horner(p, r, 0x1.555556p-3)
    p = horner(p, r, 0x1p-1)
    return p
  }

  /// Error of the logarithm: 2^-38.4, relatively.
  @inline(always) public static func logarithmTail(_ z: Self) -> Self {
    var p = Self(repeating: 0x1.879ad6p-3)
    p = horner(p, z, 0x1.c6c0bcp-3)
    p = horner(p, z, 0x1.24928ep-2)
    p = horner(p, z, 0x1.99999ap-2)
    return p
  }

  /// Error of the arctangent: 2^-28.5, relatively.
  @inline(always) public static func arctangentTail(_ z: Self) -> Self {
    var p = Self(repeating: -0x1.082f6cp-4)
    p = horner(p, z, 0x1.b80990p-4)
    p = horner(p, z, -0x1.241fe6p-3)
    p = horner(p, z, 0x1.99972ep-3)
    p = horner(p, z, -0x1.555554p-2)
    return p
  }
}

/// A choice per lane: all bits of a lane are set, or none.
public struct FloatLaneMask: LaneMask {
  public var bits: SIMD8<Int32>

  @inline(always) public init(_ bits: SIMD8<Int32>) { self.bits = bits }
  @inline(always) public static func & (a: Self, b: Self) -> Self {
    Self(lanes_and_f8(a.bits, b.bits))
  }
  @inline(always) public static func | (a: Self, b: Self) -> Self {
    Self(lanes_or_f8(a.bits, b.bits))
  }
  @inline(always) public static prefix func ! (a: Self) -> Self { Self(lanes_not_f8(a.bits)) }
}
