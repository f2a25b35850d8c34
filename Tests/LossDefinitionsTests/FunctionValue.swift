import LossDefinitions

/// A function of double-doubles at a point, known to 159 bits.
struct FunctionValue {
  let name: Substring
  let arguments: [DoubleDouble]
  let truth: DoubleDouble
  /// What the truth has beyond two doubles.
  let rest: Double

  static let all: [FunctionValue] = functionValues.split(separator: "\n").compactMap { line in
    let fields = line.split(separator: " ")
    let numbers = fields.dropFirst().compactMap { Double($0) }
    guard numbers.count >= 5, numbers.count == fields.count - 1 else { return nil }
    let last = numbers.count - 3
    return FunctionValue(
      name: fields[0],
      arguments: stride(from: 0, to: last, by: 2).map {
        DoubleDouble(numbers[$0], numbers[$0 + 1])
      },
      truth: DoubleDouble(numbers[last], numbers[last + 1]),
      rest: numbers[last + 2])
  }

  static func of(_ name: String) -> [FunctionValue] { all.filter { $0.name == name } }

  /// How far a value is from the truth.
  func distance(of value: DoubleDouble) -> DoubleDouble {
    ((value - truth) - DoubleDouble(rest)).magnitude
  }
}

/// A function under the name that its values have.
struct NamedFunction<S: Scalar>: Sendable, CustomStringConvertible {
  let name: String
  let apply: @Sendable ([S]) -> S
  var description: String { name }

  static var unary: [NamedFunction] {
    [
      NamedFunction(name: "exp") { S.exp($0[0]) },
      NamedFunction(name: "expm1") { S.expm1($0[0]) },
      NamedFunction(name: "log") { S.log($0[0]) },
      NamedFunction(name: "log1p") { S.log1p($0[0]) },
      NamedFunction(name: "sqrt") { S.sqrt($0[0]) },
      NamedFunction(name: "atan") { S.atan($0[0]) },
      NamedFunction(name: "sin") { S.sin($0[0]) },
      NamedFunction(name: "cos") { S.cos($0[0]) },
      NamedFunction(name: "tanh") { S.tanh($0[0]) },
      NamedFunction(name: "sigmoid") { S.sigmoid($0[0]) },
      NamedFunction(name: "softplus") { S.softplus($0[0]) },
    ]
  }

  static var binary: [NamedFunction] {
    [
      NamedFunction(name: "add") { $0[0] + $0[1] },
      NamedFunction(name: "multiply") { $0[0] * $0[1] },
      NamedFunction(name: "divide") { $0[0] / $0[1] },
      NamedFunction(name: "pow") { S.pow($0[0], $0[1]) },
    ]
  }
}

/// The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
