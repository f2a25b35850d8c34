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
  static func exp(_ x: Self) -> Self
  static func expm1(_ x: Self) -> Self
  static func log(_ x: Self) -> Self
  static func log1p(_ x: Self) -> Self
  static func atan(_ x: Self) -> Self
  static func sigmoid(_ x: Self) -> Self
  static func softplus(_ x: Self) -> Self
  /// x to the power y, for x ≥ 0.
  static func pow(_ x: Self, _ y: Self) -> Self
  /// e^(high + low), for a low part of at most half an ulp of the high one.
  static func exp(_ high: Self, _ low: Self) -> Self
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
}
