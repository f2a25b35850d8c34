import LossDefinitions
import Testing

/// Losses in miniature: every operation, smooth at the points that they are tested at.
private enum Sample: String, CaseIterable {
  case arithmetic, functions, powers, logistic, choices, stopped

  func callAsFunction<S: Scalar>(_ x: [S]) -> S {
    switch self {
    case .arithmetic: (x[0] * x[1] - x[2]) / (x[1] + 2) - S.square(x[2]) * 0.5 + S.pi
    case .functions:
      S.sin(x[0]) * S.cos(x[1]) + S.atan(x[0] / x[1]) + S.log(x[1]) * S.log1p(x[2])
        + S.exp(-x[0]) + S.expm1(x[2]) * S.sqrt(x[1])
    case .powers: S.pow(x[1], x[2]) + S.pow(x[1], 2.5) * S.pow(x[2], 2) + S.pow(S(3), x[0])
    case .logistic:
      S.sigmoid(x[0]) * S.softplus(x[1]) + S.tanh(x[2]) + S.logSigmoid(x[0])
        + S.logSumExp([x[0], 0, x[1] * x[2], x[2]])
    case .choices:
      S.max(x[0], x[1]) * S.min(x[1], x[2]) + S.abs(x[0] - 5) + S.clamp(x[2], 0, 1)
        + S.quotient(x[0], x[1])
    case .stopped: (x[0] * x[1]).detached * S.exp(x[2]) + x[0] * (x[2] * x[2]).detached
    }
  }
}

@Suite struct DerivativeTests {
  private static let points: [[Double]] = [
    [0.3, 1.7, 0.6], [-1.25, 0.4, 2.5], [2.75, 3.125, 0.0625], [0.001, 0.8, 0.3],
  ]

  @Test(arguments: Sample.allCases.map(\.rawValue), points)
  fileprivate func dualAgreesWithFiniteDifferences(_ name: String, _ point: [Double]) throws {
    let sample = try #require(Sample(rawValue: name))
    let x = point.map { DoubleDouble($0) }
    let dual = sample(Dual.variables(x))
    #expect(dual.value == sample(x))
    for (i, difference) in finiteDifferences(at: x, of: { sample($0) }).enumerated() {
      let distance = (difference.slope - dual.slope(i)).magnitude
      #expect(distance <= difference.error)
      let size = 1 + dual.value.magnitude + dual.slope(i).magnitude
      #expect(distance <= size * DoubleDouble(0x1p-60))
      #expect(difference.error <= size * DoubleDouble(0x1p-54))
    }
  }

  @Test(arguments: Sample.allCases.map(\.rawValue), points)
  fileprivate func tapeAgreesWithDual(_ name: String, _ point: [Double]) throws {
    let sample = try #require(Sample(rawValue: name))
    let x = point.map { DoubleDouble($0) }
    let dual = sample(Dual.variables(x))
    let tape = Tape.gradient(of: { sample($0) }, at: x)
    #expect(tape.value == dual.value)
    for i in x.indices {
      let distance = (tape.gradient[i] - dual.slope(i)).magnitude
      #expect(distance <= DoubleDouble(0x1p-95) * (1 + dual.slope(i).magnitude))
    }
  }

  @Test(arguments: Sample.allCases.map(\.rawValue), points)
  fileprivate func intervalsHoldTheGradient(_ name: String, _ point: [Double]) throws {
    let sample = try #require(Sample(rawValue: name))
    let truth = sample(Dual.variables(point.map { DoubleDouble($0) }))
    let dual = sample(Dual.variables(point.map { Interval<Double>($0) }))
    let tape = Tape.gradient(of: { sample($0) }, at: point.map { Interval<Double>($0) })
    #expect(dual.value.isDecided && tape.value.isDecided)
    for i in point.indices {
      for slope in [dual.slope(i), tape.gradient[i]] {
        #expect(slope.lower.extended <= truth.slope(i) && truth.slope(i) <= slope.upper.extended)
        #expect(slope.width < 1e-13 && slope.isDecided)
      }
    }
  }

  @Test func nestedDualsAreSecondDerivatives() {
    func second(_ x: Double, _ f: (Dual<Dual<Double>>) -> Dual<Dual<Double>>) -> Double {
      let inner = Dual(x, slopes: [1])
      return f(Dual(inner, slopes: [1])).slope(0).slope(0)
    }
    #expect(second(0.75) { $0 * $0 * $0 } == 4.5)
    #expect(second(0.75) { .exp($0) } == Double.exp(0.75))
    #expect(second(2) { .log($0) } == -0.25)
    #expect(second(4) { .sqrt($0) } == -0.03125)
    #expect(second(3) { .pow($0, 4) } == 108)
    #expect(second(0) { .softplus($0) } == 0.25)
    #expect(second(0) { .logSumExp([0, $0]) } == 0.25)
    #expect(second(5) { .square($0) } == 2)
    #expect(second(0.5) { $0.detached * $0 } == 0)
  }

  @Test func slopesAtTies() {
    let (x, y) = (Dual(2.0, slopes: [1, 0]), Dual(2.0, slopes: [0, 1]))
    #expect(Dual.max(x, y).slopes == [0.5, 0.5])
    #expect(Dual.min(x, y).slopes == [0.5, 0.5])
    #expect(Dual.abs(Dual(0.0, slopes: [1])).slopes == [0])
    #expect(Dual.softplus(Dual(0.0, slopes: [1])).slopes == [0.5])
    #expect(Dual.logSumExp([x, y]).slopes == [0.5, 0.5])
    #expect(Tape.gradient(of: { .max($0[0], $0[1]) }, at: [2.0, 2]).gradient == [0.5, 0.5])
  }

  @Test func powersAtZero() {
    func slope(_ x: Double, _ y: Double) -> Double {
      Dual.pow(Dual(x, slopes: [1]), Dual(y)).slope(0)
    }
    #expect(slope(0, 0) == 0)
    #expect(slope(0, 1) == 1)
    #expect(slope(0, 2) == 0)
    #expect(slope(0, 0.5) == .infinity)
    #expect(slope(3, 0) == 0)
    #expect(slope(3, 2) == 6)
    #expect(slope(2, .nan).isNaN)
    let exponent = Dual(2.0, slopes: [1])
    #expect(Dual.pow(0, exponent).slopes == [0])
    #expect(Dual.pow(2, exponent).slopes == [4 * Double.log(2)])
    #expect(Dual.pow(Dual(0.0, slopes: [1]), exponent).slopes == [0])
    #expect(Tape.gradient(of: { .pow($0[0], 0) }, at: [0.0]).gradient == [0])
  }

  @Test func slopesKeepTheirAccuracyInTheTails() {
    func relativeError(_ got: Double, _ truth: DoubleDouble) -> Double {
      ((DoubleDouble(got) - truth) / truth).hi.magnitude
    }
    for x in [-300.0, -50, -1, 1, 30] {
      let variable = Dual(x, slopes: [1])
      let exact = Dual(DoubleDouble(x), slopes: [1])
      let e = DoubleDouble.exp(DoubleDouble(x))
      let softplus = Dual.softplus(variable).slope(0)
      #expect(relativeError(softplus, e / (1 + e)) < 0x1p-50)
      let leading = Dual.logSumExp([0, variable]).slope(0)
      #expect(relativeError(leading, e / (1 + e)) < 0x1p-50)
      let sigmoid = Dual.sigmoid(variable).slope(0)
      #expect(relativeError(sigmoid, e / DoubleDouble.square(1 + e)) < 0x1p-49)
      let tanh = Dual.tanh(variable).slope(0)
      #expect(relativeError(tanh, 4 * e * e / .square(e * e + 1)) < 0x1p-49)
      #expect(Dual.tanh(exact).slope(0).hi > 0)
    }
  }

  @Test func constantsHaveNoSlope() {
    let constant = Dual<Double>(0)
    #expect(Dual.sqrt(constant).isConstant && Dual.log(constant).isConstant)
    #expect(Dual.pow(constant, 0.5).isConstant)
    let mixed = Dual.sqrt(constant) * Dual(2.0, slopes: [1])
    #expect(mixed.slopes == [0])
    let variable = Dual(2.0, slopes: [1])
    #expect((1 / constant + variable).slopes == [1])
    #expect(variable.detached.isConstant)
    #expect(Dual.logSumExp([Dual(-.infinity), variable]).slopes == [1])
  }

  /// A choice that is not taken must not spoil the gradient by its infinite slope.
  @Test func decidedChoicesAreCleanOnTheTape() {
    let f: ([Tape<Double>]) -> Tape<Double> = { x in
      .select(0 .< x[0], .sqrt(x[0]), x[0] * 3)
    }
    #expect(Tape.gradient(of: f, at: [0]).gradient == [3])
    #expect(Tape.gradient(of: f, at: [4]).gradient == [0.25])
    #expect(Tape.gradient(of: { _ in 7 }, at: [1.0, 2]).gradient == [0, 0])
    #expect(Tape.gradient(of: { $0[1] }, at: [1.0, 2, 3]).gradient == [0, 1, 0])
  }

  @Test func undecidedChoicesHoldBothSlopes() {
    let x = [Interval<Double>(lower: -1, upper: 1)]
    let gradients = [
      Tape.gradient(of: { .abs($0[0]) }, at: x).gradient[0],
      Dual.abs(Dual.variables(x)[0]).slope(0),
    ]
    for gradient in gradients {
      #expect(gradient.contains(-1) && gradient.contains(1) && !gradient.isDecided)
    }
  }

  @Test func detachedStaysAtTheBasePoint() {
    let x = [DoubleDouble(3)]
    let attached = finiteDifferences(at: x) { $0[0] * $0[0] }
    let stopped = finiteDifferences(at: x) { $0[0].detached * $0[0] }
    #expect((attached[0].slope - 6).magnitude <= attached[0].error)
    #expect((stopped[0].slope - 3).magnitude <= stopped[0].error)
    #expect(finiteDifferences(at: [1, 2, 3], coordinates: [2]) { $0[0] * $0[2] }.count == 1)
  }
}
