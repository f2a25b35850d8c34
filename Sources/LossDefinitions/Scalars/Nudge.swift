/// A point and a nearby one, evaluated together: what a finite difference is taken of.
///
/// `detached` returns to the base point, so that a difference sees what the loss holds constant as
/// its gradient does.
public struct Nudge<Base: Scalar>: Scalar {
  public let base: Base
  public let moved: Base

  /// A comparison at each point.
  public struct Condition {
    let base: Base.Condition
    let moved: Base.Condition
  }

  @inline(__always)
  public init(base: Base, moved: Base) {
    self.base = base
    self.moved = moved
  }

  @inline(__always)
  private init(both value: Base) { self.init(base: value, moved: value) }
  public init(_ value: Double) { self.init(both: Base(value)) }
  public init(floatLiteral value: Base.FloatLiteralType) {
    self.init(both: Base(floatLiteral: value))
  }
  public init(integerLiteral value: Base.IntegerLiteralType) {
    self.init(both: Base(integerLiteral: value))
  }
  public static var pi: Self { Self(both: Base.pi) }

  public var detached: Self { Self(both: base.detached) }
  public var primal: Double { base.primal }

  @inline(__always)
  private static func both(_ x: Self, _ f: (Base) -> Base) -> Self {
    Self(base: f(x.base), moved: f(x.moved))
  }

  public static func + (a: Self, b: Self) -> Self {
    Self(base: a.base + b.base, moved: a.moved + b.moved)
  }
  public static func - (a: Self, b: Self) -> Self {
    Self(base: a.base - b.base, moved: a.moved - b.moved)
  }
  public static func * (a: Self, b: Self) -> Self {
    Self(base: a.base * b.base, moved: a.moved * b.moved)
  }
  public static func / (a: Self, b: Self) -> Self {
    Self(base: a.base / b.base, moved: a.moved / b.moved)
  }
  public static prefix func - (a: Self) -> Self { both(a) { -$0 } }

  public static func .< (a: Self, b: Self) -> Condition {
    Condition(base: a.base .< b.base, moved: a.moved .< b.moved)
  }
  public static func select(_ condition: Condition, _ a: Self, _ b: Self) -> Self {
    Self(
      base: .select(condition.base, a.base, b.base),
      moved: .select(condition.moved, a.moved, b.moved))
  }

  public static func square(_ x: Self) -> Self { both(x) { Base.square($0) } }
  public static func sqrt(_ x: Self) -> Self { both(x) { Base.sqrt($0) } }
  public static func exp(_ x: Self) -> Self { both(x) { Base.exp($0) } }
  public static func expm1(_ x: Self) -> Self { both(x) { Base.expm1($0) } }
  public static func log(_ x: Self) -> Self { both(x) { Base.log($0) } }
  public static func log1p(_ x: Self) -> Self { both(x) { Base.log1p($0) } }
  public static func pow(_ x: Self, _ y: Self) -> Self {
    Self(base: .pow(x.base, y.base), moved: .pow(x.moved, y.moved))
  }
  public static func atan(_ x: Self) -> Self { both(x) { Base.atan($0) } }
  public static func sin(_ x: Self) -> Self { both(x) { Base.sin($0) } }
  public static func cos(_ x: Self) -> Self { both(x) { Base.cos($0) } }
  public static func tanh(_ x: Self) -> Self { both(x) { Base.tanh($0) } }
  public static func sigmoid(_ x: Self) -> Self { both(x) { Base.sigmoid($0) } }
  public static func softplus(_ x: Self) -> Self { both(x) { Base.softplus($0) } }
  public static func logSumExp(_ x: [Self]) -> Self {
    Self(base: .logSumExp(x.map(\.base)), moved: .logSumExp(x.map(\.moved)))
  }
}
