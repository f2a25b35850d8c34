/// A value that remembers how it was computed: reverse mode, the whole gradient in one pass.
///
/// Constants remember nothing. A tape serves one thread, and not a `Nudge`, whose two points may
/// choose differently.
public struct Tape<Base: Scalar>: Scalar {
  public let value: Base
  private let recording: Recording<Base>?
  private let index: Int

  @inline(__always)
  private init(_ value: Base, _ recording: Recording<Base>?, _ index: Int) {
    self.value = value
    self.recording = recording
    self.index = index
  }

  /// A constant.
  @inline(__always)
  public init(constant value: Base) { self.init(value, nil, 0) }
  public init(_ value: Double) { self.init(constant: Base(value)) }
  public init(floatLiteral value: Base.FloatLiteralType) {
    self.init(constant: Base(floatLiteral: value))
  }
  public init(integerLiteral value: Base.IntegerLiteralType) {
    self.init(constant: Base(integerLiteral: value))
  }
  public static var pi: Self { Self(constant: Base.pi) }

  public var isConstant: Bool { recording == nil }
  public var detached: Self { Self(constant: value.detached) }
  public var primal: Double { value.primal }

  /// A function's value and gradient at a point.
  public static func gradient(
    of f: ([Self]) -> Self, at x: [Base]
  ) -> (value: Base, gradient: [Base]) {
    let recording = Recording<Base>(inputs: x.count)
    let result = f(x.indices.map { Self(x[$0], recording, $0) })
    guard result.recording != nil else { return (result.value, x.map { _ in 0 }) }
    return (result.value, recording.adjoints(of: result.index))
  }

  @inline(__always)
  private func mapped(_ value: Base, derivative: @autoclosure () -> Base) -> Self {
    guard let recording else { return Self(constant: value) }
    return Self(value, recording, recording.append(index, derivative()))
  }

  @inline(__always)
  private static func combined(
    _ value: Base, _ a: Self, _ first: @autoclosure () -> Base,
    _ b: Self, _ second: @autoclosure () -> Base
  ) -> Self {
    guard let recording = a.recording else { return b.mapped(value, derivative: second()) }
    guard b.recording != nil else { return a.mapped(value, derivative: first()) }
    return Self(value, recording, recording.append(a.index, first(), b.index, second()))
  }

  public static func + (a: Self, b: Self) -> Self { combined(a.value + b.value, a, 1, b, 1) }
  public static func - (a: Self, b: Self) -> Self { combined(a.value - b.value, a, 1, b, -1) }
  public static prefix func - (a: Self) -> Self { a.mapped(-a.value, derivative: -1) }

  public static func * (a: Self, b: Self) -> Self {
    combined(a.value * b.value, a, b.value, b, a.value)
  }

  public static func / (a: Self, b: Self) -> Self {
    let quotient = a.value / b.value
    return combined(quotient, a, 1 / b.value, b, -quotient / b.value)
  }

  public static func square(_ x: Self) -> Self {
    x.mapped(.square(x.value), derivative: x.value + x.value)
  }

  public static func sum(_ x: [Self]) -> Self {
    var total: Self = 0
    for value in x { total = total + value }
    return Self(Base.sum(x.map(\.value)), total.recording, total.index)
  }

  public static func .< (a: Self, b: Self) -> Base.Condition { a.value .< b.value }

  /// A decided choice is the chosen value itself, so that nothing flows to the other.
  public static func select(_ condition: Base.Condition, _ a: Self, _ b: Self) -> Self {
    let first = Base.select(condition, 1, 0)
    let value = Base.select(condition, a.value, b.value)
    if first.primal == 1 { return Self(value, a.recording, a.index) }
    if first.primal == 0 { return Self(value, b.recording, b.index) }
    return combined(value, a, first, b, .select(condition, 0, 1))
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

  public static func log(_ x: Self) -> Self { x.mapped(.log(x.value), derivative: 1 / x.value) }

  public static func log1p(_ x: Self) -> Self {
    x.mapped(.log1p(x.value), derivative: 1 / (1 + x.value))
  }

  public static func pow(_ x: Self, _ y: Self) -> Self {
    let power = Base.pow(x.value, y.value)
    return combined(
      power, x, Dual.powerSlope(x.value, y.value), y, Dual.exponentSlope(x.value, power))
  }

  public static func atan(_ x: Self) -> Self {
    x.mapped(.atan(x.value), derivative: 1 / (1 + x.value * x.value))
  }

  public static func sin(_ x: Self) -> Self { x.mapped(.sin(x.value), derivative: .cos(x.value)) }
  public static func cos(_ x: Self) -> Self { x.mapped(.cos(x.value), derivative: -.sin(x.value)) }

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
    guard let recording = x.lazy.compactMap(\.recording).first else {
      return Self(constant: value)
    }
    for (weight, argument) in zip(Dual.softmax(values), x) where !argument.isConstant {
      recording.addEdge(argument.index, weight)
    }
    return Self(value, recording, recording.closeNode())
  }
}

/// The operations of one evaluation, in order: each node with the nodes it came from and the partial
/// derivatives by them.
private final class Recording<Base: Scalar>: @unchecked Sendable {
  private let inputs: Int
  /// Where the edges of the node after the inputs end.
  private var ends: [Int] = []
  private var parents: [Int] = []
  private var partials: [Base] = []

  init(inputs: Int) { self.inputs = inputs }

  @inline(__always)
  func addEdge(_ parent: Int, _ partial: Base) {
    parents.append(parent)
    partials.append(partial)
  }

  /// Ends a node with the edges added since the last, and returns its index.
  @inline(__always)
  func closeNode() -> Int {
    ends.append(parents.count)
    return inputs + ends.count - 1
  }

  @inline(__always)
  func append(_ parent: Int, _ partial: Base) -> Int {
    addEdge(parent, partial)
    return closeNode()
  }

  @inline(__always)
  func append(_ a: Int, _ first: Base, _ b: Int, _ second: Base) -> Int {
    addEdge(a, first)
    addEdge(b, second)
    return closeNode()
  }

  /// The derivatives of a node by the inputs. What it does not depend on is never visited.
  func adjoints(of result: Int) -> [Base] {
    var adjoints = [Base](repeating: 0, count: result + 1)
    var isReached = [Bool](repeating: false, count: result + 1)
    var gradient = [Base](repeating: 0, count: inputs)
    adjoints[result] = 1
    isReached[result] = true
    var node = result
    while node >= inputs {
      if isReached[node] {
        let start = node == inputs ? 0 : ends[node - inputs - 1]
        for edge in start..<ends[node - inputs] {
          let parent = parents[edge]
          let part = adjoints[node] * partials[edge]
          adjoints[parent] = isReached[parent] ? adjoints[parent] + part : part
          isReached[parent] = true
        }
      }
      node -= 1
    }
    for i in 0..<Swift.min(inputs, result + 1) { gradient[i] = adjoints[i] }
    return gradient
  }
}
