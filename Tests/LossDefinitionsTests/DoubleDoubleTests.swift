import LossDefinitions
import Testing

@Suite struct DoubleDoubleTests {
  /// The bounds that the doc comments state.
  @Test(arguments: NamedFunction<DoubleDouble>.unary + NamedFunction<DoubleDouble>.binary)
  func errorIsWithinTheStatedBound(_ function: NamedFunction<DoubleDouble>) {
    let bound =
      switch function.name {
      case "add": 3.001 * 0x1p-106
      case "multiply": 5 * 0x1p-106
      case "divide": 15.001 * 0x1p-106
      case "sqrt": 3.125 * 0x1p-106
      case "pow": 0x1p-90
      default: 0x1p-98
      }
    let values = FunctionValue.of(function.name)
    #expect(values.count >= 200)
    for value in values {
      let result = function.apply(value.arguments)
      let error = value.distance(of: result)
      let allowed =
        value.truth.magnitude * DoubleDouble(bound) + DoubleDouble(0x1p-1070)
      #expect(error <= allowed, "\(function) of \(value.arguments): \(result), not \(value.truth)")
      #expect(result.hi + result.lo == result.hi)
    }
  }

  private static let special: [Double] = [
    0, -0.0, 1, -1, 2, -2, 0.5, .infinity, -.infinity, .nan, .greatestFiniteMagnitude,
    -.greatestFiniteMagnitude, .leastNormalMagnitude, .leastNonzeroMagnitude,
    -.leastNonzeroMagnitude, 800, -800, 1e300, -1e300, 1e-300,
  ]

  private func isAlike(_ a: Double, _ b: Double) -> Bool {
    if a.isNaN || b.isNaN { return a.isNaN && b.isNaN }
    if !a.isFinite || !b.isFinite || b == 0 { return a == b || (a - b).magnitude <= 0x1p-1060 }
    return (a - b).magnitude <= Swift.max(b.magnitude * 0x1p-50, 0x1p-1060)
  }

  @Test(arguments: 0..<11)
  func specialValuesAreThoseOfDouble(_ index: Int) {
    let function = NamedFunction<DoubleDouble>.unary[index]
    let native = NamedFunction<Double>.unary[index]
    for x in Self.special where !(["sin", "cos"].contains(function.name) && x.magnitude > 1e15) {
      let result = function.apply([DoubleDouble(x)])
      let expected = native.apply([x])
      #expect(isAlike(result.hi, expected), "\(function)(\(x)) = \(result), not \(expected)")
      #expect(result.isFinite || result.lo == 0)
    }
    for x in [Double.infinity, -.infinity, .nan] {
      let result = function.apply([DoubleDouble(x)]).hi
      #expect(isAlike(result, native.apply([x])), "\(function)(\(x)) = \(result)")
    }
  }

  @Test(arguments: 0..<4)
  func specialPairsAreThoseOfDouble(_ index: Int) {
    let function = NamedFunction<DoubleDouble>.binary[index]
    let native = NamedFunction<Double>.binary[index]
    for x in Self.special where function.name != "pow" || !(x.sign == .minus) {
      for y in Self.special {
        let result = function.apply([DoubleDouble(x), DoubleDouble(y)])
        let expected = native.apply([x, y])
        #expect(
          isAlike(result.hi, expected), "\(function)(\(x), \(y)) = \(result), not \(expected)")
        #expect(result.isFinite || result.lo == 0)
      }
    }
  }

  @Test func powersOfNegativesHaveNoValue() {
    #expect(DoubleDouble.pow(-1, 2).isNaN)
    #expect(DoubleDouble.pow(-2, 0) == 1)
    #expect(DoubleDouble.pow(0, 0) == 1)
    #expect(DoubleDouble.pow(0, 3) == 0)
    #expect(DoubleDouble.pow(0, -1) == .infinity)
    #expect(DoubleDouble.pow(DoubleDouble(1, 0x1p-60), .infinity) == .infinity)
    #expect(DoubleDouble.pow(DoubleDouble(1, -0x1p-60), .infinity) == 0)
  }

  @Test func logSumExp() {
    #expect(DoubleDouble.logSumExp([]) == -.infinity)
    #expect(DoubleDouble.logSumExp([-.infinity, -.infinity]) == -.infinity)
    #expect(DoubleDouble.logSumExp([3, -.infinity]) == 3)
    #expect(DoubleDouble.logSumExp([1, .infinity]) == .infinity)
    #expect(DoubleDouble.logSumExp([1, .nan]).isNaN)
    let x = DoubleDouble(-200.25)
    #expect(DoubleDouble.logSumExp([0, x]) == DoubleDouble.softplus(x))
  }

  @Test func nativeFunctionsAgree() {
    #expect(Double.logSumExp([]) == -.infinity)
    #expect(Double.logSumExp([-.infinity]) == -.infinity)
    #expect(Double.logSumExp([.infinity, 0]) == .infinity)
    #expect(Double.logSumExp([0, .nan, .infinity]).isNaN)
    #expect(Double.logSumExp([0, -80]) == Double.softplus(-80))
    #expect(Float.logSumExp([0, -80]) == Float.softplus(-80))
    #expect(Double.sigmoid(-800) == 0 && Double.sigmoid(800) == 1)
    #expect(Float.softplus(200) == 200 && Float.softplus(-.infinity) == 0)
    for x in stride(from: -700.0, through: 700, by: 12.5) {
      #expect(isAlike(Double.sigmoid(x), DoubleDouble.sigmoid(DoubleDouble(x)).hi))
      #expect(isAlike(Double.softplus(x), DoubleDouble.softplus(DoubleDouble(x)).hi))
    }
  }
}
