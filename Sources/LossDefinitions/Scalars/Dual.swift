/// A value with its derivatives along any number of directions: the exact gradient.
///
/// No slopes at all say that it is constant, at no cost and with no 0 · ∞. Duals nest: slopes of
/// slopes are second derivatives.
public struct Dual<Base: Scalar>: Scalar {
  public let value: Base
  /// One for each direction, or none of a constant.
  public let slopes: [Base]

  @inline(__always)
  public init(_ value: Base, slopes: [Base]) {
    self.value = value
    self.slopes = slopes
  }

  /// A constant.
  @inline(__always)
  public init(constant value: Base) { self.init(value, slopes: []) }
  public init(_ value: Double) { self.init(constant: Base(value)) }
  public init(floatLiteral value: Base.FloatLiteralType) {
    self.init(constant: Base(floatLiteral: value))
  }
  public init(integerLiteral value: Base.IntegerLiteralType) {
    self.init(constant: Base(integerLiteral: value))
  }
  public static var pi: Self { Self(constant: Base.pi) }

  public var isConstant: Bool { slopes.isEmpty }
  public var detached: Self { Self(constant: value.detached) }
  public var primal: Double { value.primal }

  /// The values as variables, each with slope 1 along its own direction.
  public static func variables(_ x: [Base]) -> [Self] {
    x.indices.map { i in
      Self(x[i], slopes: x.indices.map { $0 == i ? 1 : 0 })
    }
  }

  /// The slope along a direction, 0 of a constant.
  public func slope(_ direction: Int) -> Base { slopes.isEmpty ? 0 : slopes[direction] }

  /// A function's value at this, given its derivative.
  @inline(__always)
  private func mapped(_ value: Base, derivative: @autoclosure () -> Base) -> Self {
    guard !isConstant else { return Self(constant: value) }
    let derivative = derivative()
    return Self(value, slopes: slopes.map { derivative * $0 })
  }

  /// Slopes from those of two operands, either of which may be constant.
  @inline(__always)
  private static func combined(
    _ a: Self, _ b: Self, _ both: (Base, Base) -> Base, first: (Base) -> Base,
    second: (Base) -> Base
  ) -> [Base] {
    if b.isConstant { return a.isConstant ? [] : a.slopes.map(first) }
    if a.isConstant { return b.slopes.map(second) }
    return a.slopes.indices.map { both(a.slopes[$0], b.slopes[$0]) }
  }

  public static func + (a: Self, b: Self) -> Self {
    Self(
      a.value + b.value,
      slopes: combined(a, b, { $0 + $1 }, first: { $0 }, second: { $0 }))
  }

  public static func - (a: Self, b: Self) -> Self {
    Self(
      a.value - b.value,
      slopes: combined(a, b, { $0 - $1 }, first: { $0 }, second: { -$0 }))
  }

  public static prefix func - (a: Self) -> Self {
    Self(-a.value, slopes: a.isConstant ? [] : a.slopes.map { -$0 })
  }

  public static func * (a: Self, b: Self) -> Self {
    let (x, y) = (a.value, b.value)
    return Self(
      x * y,
      slopes: combined(
        a, b, { $0 * y + x * $1 }, first: { $0 * y }, second: { x * $0 }))
  }

  public static func / (a: Self, b: Self) -> Self {
    let y = b.value
    let q = a.value / y
    return Self(
      q,
      slopes: combined(
        a, b, { ($0 - q * $1) / y }, first: { $0 / y }, second: { -(q * $0) / y }))
  }

  public static func square(_ x: Self) -> Self {
    x.mapped(.square(x.value), derivative: x.value + x.value)
  }

  public static func .< (a: Self, b: Self) -> Base.Condition { a.value .< b.value }

  public static func select(_ condition: Base.Condition, _ a: Self, _ b: Self) -> Self {
    Self(
      .select(condition, a.value, b.value),
      slopes: combined(
        a, b, { .select(condition, $0, $1) },
        first: { .select(condition, $0, 0) }, second: { .select(condition, 0, $0) }))
  }

  /// The value is the base's larger, whose bounds are tighter than those of either.
  public static func max(_ a: Self, _ b: Self) -> Self {
    Self(.max(a.value, b.value), slopes: chosenLarger(a, b).slopes)
  }

  public static func sqrt(_ x: Self) -> Self {
    let root = Base.sqrt(x.value)
    return x.mapped(root, derivative: 0.5 / root)
  }

  public static func exp(_ x: Self) -> Self {
    let power = Base.exp(x.value)
    return x.mapped(power, derivative: power)
  }

  public static func expm1(_ x: Self) -> Self {
    x.mapped(.expm1(x.value), derivative: .exp(x.value))
  }

  public static func log(_ x: Self) -> Self {
    x.mapped(.log(x.value), derivative: 1 / x.value)
  }

  public static func log1p(_ x: Self) -> Self {
    x.mapped(.log1p(x.value), derivative: 1 / (1 + x.value))
  }

  public static func pow(_ x: Self, _ y: Self) -> Self {
    let power = Base.pow(x.value, y.value)
    guard !x.isConstant || !y.isConstant else { return Self(constant: power) }
    var terms: [Self] = []
    if !x.isConstant {
      terms.append(x.mapped(power, derivative: Self.powerSlope(x.value, y.value)))
    }
    if !y.isConstant {
      terms.append(y.mapped(power, derivative: Self.exponentSlope(x.value, power)))
    }
    guard terms.count == 2 else { return terms[0] }
    return Self(power, slopes: combined(terms[0], terms[1], { $0 + $1 }, first: { $0 }) { $0 })
  }

  /// y x^(y−1), and 0 where y is 0: there the exponent is taken as 1.
  static func powerSlope(_ x: Base, _ y: Base) -> Base {
    let exponent = Base.select(0 .< y, y, .select(y .< 0, y, 1))
    return y * .pow(x, exponent - 1)
  }

  /// x^y ln x, and 0 where x is 0.
  static func exponentSlope(_ x: Base, _ power: Base) -> Base {
    power * .log(.select(0 .< x, x, 1))
  }

  public static func atan(_ x: Self) -> Self {
    x.mapped(.atan(x.value), derivative: 1 / (1 + x.value * x.value))
  }

  public static func sin(_ x: Self) -> Self { x.mapped(.sin(x.value), derivative: .cos(x.value)) }
  public static func cos(_ x: Self) -> Self { x.mapped(.cos(x.value), derivative: -.sin(x.value)) }

  /// The slope is 4 σ(2x) σ(−2x), which keeps its accuracy in the tails.
  public static func tanh(_ x: Self) -> Self {
    let twice = x.value + x.value
    return x.mapped(.tanh(x.value), derivative: 4 * .sigmoid(twice) * .sigmoid(-twice))
  }

  public static func sigmoid(_ x: Self) -> Self {
    let value = Base.sigmoid(x.value)
    return x.mapped(value, derivative: value * .sigmoid(-x.value))
  }

  public static func softplus(_ x: Self) -> Self {
    x.mapped(.softplus(x.value), derivative: .sigmoid(x.value))
  }

  public static func logSumExp(_ x: [Self]) -> Self {
    let values = x.map(\.value)
    let value = Base.logSumExp(values)
    guard x.contains(where: { !$0.isConstant }) else { return Self(constant: value) }
    var total: [Base] = []
    for (weight, argument) in zip(softmax(values), x) where !argument.isConstant {
      total =
        total.isEmpty
        ? argument.slopes.map { weight * $0 }
        : total.indices.map { total[$0] + weight * argument.slopes[$0] }
    }
    return Self(value, slopes: total)
  }

  public static func sum(_ x: [Self]) -> Self {
    let directions = x.map(\.slopes.count).max() ?? 0
    let variables = x.filter { !$0.isConstant }
    return Self(
      Base.sum(x.map(\.value)),
      slopes: (0..<directions).map { k in Base.sum(variables.map { $0.slopes[k] }) })
  }

  /// e^xⱼ / Σ e^xₖ, shifted by the largest argument m: any shift gives the same.
  static func softmax(_ x: [Base]) -> [Base] {
    guard let largest = indexOfLargest(x) else { return [] }
    let m = x[largest]
    guard m.primal != -.infinity else { return x.map { _ in 0 } }
    let powers = x.indices.map { $0 == largest ? 1 : Base.exp(x[$0] - m) }
    let total = Base.sum(powers)
    return powers.map { $0 / total }
  }
}
