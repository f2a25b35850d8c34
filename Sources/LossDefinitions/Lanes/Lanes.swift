/// A SIMD vector of `count` independent lanes: the numbers a kernel is written over.
///
/// Every operation is lane-wise, without fused multiply-add and with polynomials of our own, so that
/// a lane's result has the same bits for any instruction set. Comparisons and `select` replace
/// branches. NaN passes through `min`, `max` and `clamp`.
public protocol Lanes: Sendable {
  associatedtype Element: BinaryFloatingPoint & Sendable
  associatedtype Mask: LaneMask

  static var count: Int { get }
  init(repeating value: Element)
  /// Loads `count` elements; no alignment is needed.
  init(_ source: UnsafePointer<Element>)
  /// Stores `count` elements; no alignment is needed.
  func store(_ destination: UnsafeMutablePointer<Element>)
  subscript(lane: Int) -> Element { get set }

  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
  static prefix func - (a: Self) -> Self
  static func .< (a: Self, b: Self) -> Mask
  static func .<= (a: Self, b: Self) -> Mask
  static func .== (a: Self, b: Self) -> Mask
  static func select(_ mask: Mask, _ a: Self, _ b: Self) -> Self
  static func max(_ a: Self, _ b: Self) -> Self
  static func min(_ a: Self, _ b: Self) -> Self
  static func abs(_ x: Self) -> Self
  static func sqrt(_ x: Self) -> Self

  // What `Columns.swift` is made of.

  /// The elements at even places of a and b in one row.
  static func evens(_ a: Self, _ b: Self) -> Self
  static func odds(_ a: Self, _ b: Self) -> Self
  /// The first half of the row a₀ b₀ a₁ b₁ …
  static func zipLow(_ a: Self, _ b: Self) -> Self
  static func zipHigh(_ a: Self, _ b: Self) -> Self

  // What the elementary functions are made of. They are written once, as extensions, and read from
  // the element's type its polynomials, split constants and operations on bits.
  //
  // The polynomials interpolate at the Chebyshev nodes of an interval 1/1000 wider than needed, solved
  // with 80 digits (mpmath); then each coefficient is rounded to the nearest element. Their errors
  // are stated where they stand.

  /// The magnitude of x with the sign of y.
  static func copySign(_ x: Self, from y: Self) -> Self
  /// x rounded to the upper half of its bits: products of two such are exact, as is the rest of x.
  static func upperHalf(_ x: Self) -> Self
  /// 2^n, for an integral n whose power is a normal number.
  static func powerOfTwo(_ n: Self) -> Self
  /// The integral e and the m in [√½, √2) of x = 2^e m, for x > 0 and finite, subnormal or not.
  static func decomposed(_ x: Self) -> (exponent: Self, mantissa: Self)
  /// 3 · 2^(p-2): adding and subtracting it rounds to the nearest integer.
  static var roundingShift: Element { get }
  /// ln 2, high part; its products with exponents are exact.
  static var ln2High: Element { get }
  static var ln2Low: Element { get }
  static var twoThirdsLow: Element { get }
  static var quarterPiLow: Element { get }
  /// π/2 as a sum: three parts of half an element's bits, and the rest.
  static var halfPiParts: (Element, Element, Element, Element) { get }
  /// Its square is finite, and from it on the arctangent is π/2.
  static var arctangentLimit: Element { get }
  /// Beyond these bounds e^x is 0, or infinite.
  static var exponentialRange: (low: Element, high: Element) { get }
  /// Near (e^r - 1 - r) / r², for |r| ≤ ln 2 / 2.
  static func exponentialTail(_ r: Self) -> Self
  /// Near (2 artanh(s) - 2s - 2s³/3) / s⁵ at z = s², for 0 ≤ z ≤ (√2 - 1)⁴.
  static func logarithmTail(_ z: Self) -> Self
  /// Near (arctan(t) - t) / t³ at z = t², for 0 ≤ z ≤ tan² π/8.
  static func arctangentTail(_ z: Self) -> Self
}

public protocol LaneMask: Sendable {
  static func & (a: Self, b: Self) -> Self
  static func | (a: Self, b: Self) -> Self
  static prefix func ! (a: Self) -> Self
}

extension Lanes {
  /// A constant, rounded once.
  @inline(always) public init(_ constant: Double) { self.init(repeating: Element(constant)) }
  @inline(always) public static var zero: Self { Self(repeating: 0) }
  @inline(always) public static var one: Self { Self(repeating: 1) }
  @inline(always) public static func logSigmoid(_ x: Self) -> Self { -softplus(-x) }
  @inline(always) public static func clamp(_ x: Self, _ low: Self, _ high: Self) -> Self {
    min(max(x, low), high)
  }
  /// weight · cost, and 0 where the weight is 0 and the cost is infinite.
  @inline(always) public static func weighted(_ weight: Self, _ cost: Self) -> Self {
    let isVoid = (weight .== zero) & (cost .== Self(repeating: .infinity))
    return select(isVoid, zero, weight * cost)
  }
  /// The sign of x; 0 of 0, NaN of NaN.
  @inline(always) public static func sign(_ x: Self) -> Self {
    select(zero .< abs(x), copySign(one, from: x), x)
  }
  /// x · y + c: two roundings, never fused.
  @inline(always) public static func horner(_ x: Self, _ y: Self, _ c: Element) -> Self {
    x * y + Self(repeating: c)
  }
}
