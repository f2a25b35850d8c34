import LossDefinitions
import Testing

@Suite struct IntervalTests {
  typealias Exact = Interval<DoubleDouble>

  // MARK: Points known to 159 bits

  private func expectEnclosed<Base: IntervalBase>(
    _ interval: Interval<Base>, _ value: FunctionValue, within width: Double
  ) {
    let down = (interval.lower.extended - value.truth) - DoubleDouble(value.rest)
    let up = (interval.upper.extended - value.truth) - DoubleDouble(value.rest)
    #expect(down <= 0 && 0 <= up, "\(value): \(interval)")
    let allowed = value.truth.magnitude * DoubleDouble(width) + DoubleDouble(0x1p-1060)
    #expect(up - down <= allowed, "\(value): \(interval) is wide")
    #expect(interval.isDecided)
  }

  @Test(arguments: 0..<15)
  func pointsAreEnclosedTightly(_ index: Int) {
    let doubleDouble = (NamedFunction<Exact>.unary + NamedFunction<Exact>.binary)[index]
    let double =
      (NamedFunction<Interval<Double>>.unary + NamedFunction<Interval<Double>>.binary)[index]
    for value in FunctionValue.of(doubleDouble.name) {
      expectEnclosed(
        doubleDouble.apply(value.arguments.map { Interval($0) }), value,
        within: doubleDouble.name == "pow" ? 0x1p-87 : 0x1p-95)
      guard value.arguments.allSatisfy({ $0.lo == 0 }) else { continue }
      expectEnclosed(
        double.apply(value.arguments.map { Interval($0.hi) }), value, within: 0x1p-51)
    }
  }

  // MARK: Random intervals

  /// Operands that meet zero, each other's bounds, ties and many magnitudes.
  private struct Operands {
    var random: SplitMix64

    mutating func bound() -> Double {
      let sign: Double = random.next() & 1 == 0 ? 1 : -1
      return switch random.next() % 8 {
      case 0: 0
      case 1, 2: sign * Double(random.next() % 9) / 4
      case 3: sign * 0x1p-30 * Double(random.next() % 100)
      case 4: sign * 1e6 * Double.random(in: 0..<1, using: &random)
      default: Double.random(in: -3...3, using: &random)
      }
    }

    /// Bounds, and a number between them, as Floats.
    mutating func interval() -> (lower: Float, upper: Float, inside: Float) {
      let (a, b) = (Float(bound()), Float(random.next() & 3 == 0 ? 0 : bound()))
      let (lower, upper) = random.next() & 3 == 0 ? (a, a) : (Swift.min(a, b), Swift.max(a, b))
      let inside =
        switch random.next() % 4 {
        case 0: lower
        case 1: upper
        default: Swift.min(upper, Swift.max(lower, Float.random(in: lower...upper, using: &random)))
        }
      return (lower, upper, inside)
    }
  }

  /// Whether an interval holds a value that is right to 2^−96, or claims nothing.
  private func holds<Base: IntervalBase>(_ interval: Interval<Base>, _ value: DoubleDouble) -> Bool
  {
    if interval.isNaN { return value.isNaN || !interval.isDecided }
    if value.isNaN { return !interval.isDecided }
    guard value.isFinite else {
      return value.hi > 0 ? interval.upper.extended == value : interval.lower.extended == value
    }
    let slack = value.magnitude * DoubleDouble(0x1p-88) + DoubleDouble(0x1p-1060)
    return interval.lower.extended - slack <= value && value <= interval.upper.extended + slack
  }

  private func unary<S: Scalar>(_ index: Int, _ x: S) -> S {
    switch index {
    case 0: S.exp(x)
    case 1: S.expm1(x)
    case 2: S.log(x)
    case 3: S.log1p(x)
    case 4: S.sqrt(x)
    case 5: S.atan(x)
    case 6: S.sin(x)
    case 7: S.cos(x)
    case 8: S.tanh(x)
    case 9: S.sigmoid(x)
    case 10: S.softplus(x)
    case 11: S.square(x)
    case 12: S.abs(x)
    default: -x
    }
  }

  private func binary<S: Scalar>(_ index: Int, _ x: S, _ y: S) -> S {
    switch index {
    case 0: x + y
    case 1: x - y
    case 2: x * y
    case 3: x / y
    case 4: S.max(x, y)
    case 5: S.min(x, y)
    case 6: S.pow(x, y)
    case 7: S.logSumExp([x, y])
    default: S.quotient(x, y)
    }
  }

  /// A function's domain may be left by a part of an interval; what is outside has no value to hold.
  private func isOutside(_ index: Int, _ x: Float) -> Bool {
    (index == 2 || index == 4) && x < 0 || index == 3 && x < -1
  }

  private func countMisses<Base: IntervalBase>(
    _: Base.Type, seed: UInt64, unary unaryCount: Int, binary binaryCount: Int
  ) -> [String] {
    var operands = Operands(random: SplitMix64(state: seed))
    var misses: [String] = []
    func interval(_ x: (lower: Float, upper: Float, inside: Float)) -> Interval<Base> {
      Interval(lower: Base(Double(x.lower)), upper: Base(Double(x.upper)))
    }
    for trial in 0..<unaryCount {
      let x = operands.interval()
      guard !isOutside(trial % 14, x.inside) else { continue }
      let result = unary(trial % 14, interval(x))
      let truth = unary(trial % 14, DoubleDouble(Double(x.inside)))
      if !holds(result, truth) { misses.append("\(trial % 14) of \(x): \(result), not \(truth)") }
    }
    for trial in 0..<binaryCount {
      let (x, y) = (operands.interval(), operands.interval())
      let index = trial % 9
      if index == 3 && y.inside == 0 && y.lower < y.upper { continue }
      if index == 6 && x.inside < 0 { continue }
      let result = binary(index, interval(x), interval(y))
      let truth = binary(index, DoubleDouble(Double(x.inside)), DoubleDouble(Double(y.inside)))
      if !holds(result, truth) { misses.append("\(index) of \(x), \(y): \(result), not \(truth)") }
    }
    return misses
  }

  @Test func randomOperationsOfFloatAreEnclosed() {
    #expect(countMisses(Float.self, seed: 1, unary: 140_000, binary: 210_000).prefix(3) == [])
  }

  @Test func randomOperationsOfDoubleAreEnclosed() {
    #expect(countMisses(Double.self, seed: 2, unary: 140_000, binary: 210_000).prefix(3) == [])
  }

  @Test func randomOperationsOfDoubleDoubleAreEnclosed() {
    #expect(
      countMisses(DoubleDouble.self, seed: 3, unary: 140_000, binary: 210_000).prefix(3) == [])
  }

  @Test func roundedArithmeticIsEnclosed() {
    var operands = Operands(random: SplitMix64(state: 4))
    var misses: [String] = []
    for _ in 0..<100_000 {
      let (x, y) = (operands.interval(), operands.interval())
      for index in 0..<4 {
        if index == 3 && y.inside == 0 { continue }
        let result = binary(
          index, Interval(lower: x.lower, upper: x.upper), Interval(lower: y.lower, upper: y.upper))
        let rounded = binary(index, x.inside, y.inside)
        if !result.contains(rounded) { misses.append("\(index) of \(x), \(y): \(result)") }
      }
    }
    #expect(misses.prefix(3) == [])
  }

  // MARK: Exact points

  @Test func exactOperationsKeepPoints() {
    func check<Base: IntervalBase>(_ x: Interval<Base>) {
      #expect(x.isPoint)
      #expect((x - x).lower == 0 && (x - x).upper == 0)
      var same: [Interval<Base>] = [x * 1, x + 0, 0 + x, x - 0, x / 1, -(-x), x * 4 / 4]
      same.append(x * 0.5 + x * 0.5)
      for result in same {
        #expect(result.lower == x.lower && result.upper == x.upper)
      }
      #expect((x * 0).upper == 0 && (x * 0).lower == 0)
      #expect((x / x).lower == 1 && (x / x).upper == 1)
      #expect((0 / x).lower == 0 && (0 / x).upper == 0)
      let largest = Interval.max(x, x)
      #expect(largest.isPoint && largest.lower == x.lower && largest.isDecided)
    }
    check(Interval<Float>(0.1))
    check(Interval<Double>(0.1))
    check(Interval(DoubleDouble(0.1, 0x1p-60)))
    check(Interval(DoubleDouble(-1e10, 1e-7)))
    #expect(Exact.sqrt(9).isPoint && Exact.sqrt(9).lower == 3)
    #expect(Interval<Float>.sqrt(9).isPoint && !Interval<Float>.sqrt(2).isPoint)
    #expect((Exact(6) / 3).isPoint && !(Exact(1) / 3).isPoint)
    #expect(!Interval<Double>.square(0.1).isPoint)
    check(Interval<Float>(1e-20))
    let tiny = Exact(DoubleDouble(1, 0x1.8p-500)) * Exact(0x1p-600)
    #expect(!tiny.isPoint && tiny.lower < DoubleDouble(0x1p-600))
    for one in [Exact.exp(0), .cos(0), .pow(7, 0), .pow(0, 0), .pow(1, 5)] {
      #expect(one.isPoint && one.lower == 1)
    }
    for zero in [
      Exact.expm1(0), .log(1), .log1p(0), .atan(0), .sin(0), .tanh(0), .sqrt(0), .pow(0, 2),
    ] {
      #expect(zero.isPoint && zero.lower == 0)
    }
    #expect(Exact.sigmoid(0).isPoint && Exact.sigmoid(0).lower == 0.5)
  }

  // MARK: Decisions

  @Test func comparisonsAreThreeValued() {
    let low = Interval<Double>(lower: 0, upper: 1)
    let high = Interval<Double>(lower: 2, upper: 3)
    #expect((low .< high) == .always)
    #expect((high .< low) == .never)
    #expect((low .< low) == .unknown)
    #expect((Interval<Double>(1) .< 1) == .never)
    #expect((low .< 1) == .unknown)
    #expect((low .< 0) == .never)
    #expect((Interval<Double>(.nan) .< low) == .never)
    #expect((low .< Interval<Double>(.nan)) == .never)
  }

  @Test func undecidedChoicesAreHullsForGood() {
    let x = Interval<Double>(lower: -1, upper: 2)
    let magnitude = Interval.abs(x)
    #expect(!magnitude.isDecided && magnitude.contains(0) && magnitude.contains(2))
    #expect(!(magnitude + 1).isDecided && !(1 / (magnitude + 5)).isDecided)
    #expect(!Interval.exp(-magnitude).isDecided && !Interval.logSumExp([0, magnitude]).isDecided)
    let chosen = Interval.select(Interval(1) .< 2, 3, magnitude)
    #expect(chosen.isDecided && chosen.isPoint && chosen.lower == 3)
    let clamped = Interval<Double>.clamp(Interval(lower: 3, upper: 4), 0, 1)
    #expect(clamped.isDecided && clamped.isPoint && clamped.lower == 1)
  }

  @Test func domainsAreRestricted() {
    let partly = Interval<Double>.sqrt(Interval(lower: -1, upper: 4))
    #expect(partly.lower == 0 && partly.upper == 2 && !partly.isDecided)
    for outside in [Interval<Double>.sqrt(-1), .log(-1), .log1p(-2), .pow(-1, 2.5)] {
      #expect(outside.isNaN && outside.isDecided)
    }
    #expect(Interval<Double>.log(Interval(lower: 0, upper: 1)).lower == -.infinity)
  }

  @Test func divisionByZero() {
    let straddling = Interval<Double>(lower: -1, upper: 2)
    let line = 1 / straddling
    #expect(line.lower == -.infinity && line.upper == .infinity)
    let half = Interval<Double>(lower: 2, upper: 4) / Interval(lower: 0, upper: 2)
    #expect(half.lower == 1 && half.upper == .infinity)
    let other = Interval<Double>(lower: 2, upper: 4) / Interval(lower: -2, upper: 0)
    #expect(other.lower == -.infinity && other.upper == -1)
    let point = straddling / 4
    #expect(point.lower == -0.25 && point.upper == 0.5)
    #expect((Interval<Double>(0) / 0).isNaN)
    #expect((Interval<Double>(1) / 0).lower == .infinity)
    let guarded = Interval<Double>.quotient(3, 0)
    #expect(guarded.isPoint && guarded.lower == 0 && guarded.isDecided)
  }

  @Test func notANumberPasses() {
    let nan = Interval<Double>(.nan)
    let x = Interval<Double>(lower: -1, upper: 2)
    for result in [
      nan + x, x - nan, nan * x, x * nan, nan / x, x / nan, .max(nan, x), .min(x, nan), .exp(nan),
      .log(nan), .sqrt(nan), .sin(nan), .pow(nan, x), .pow(Interval(lower: 1, upper: 2), nan),
      .logSumExp([x, nan]), .clamp(nan, 0, 1), .square(nan), .softplus(nan),
    ] {
      #expect(result.isNaN && result.isDecided)
    }
    let line = 1 / x
    #expect((line - line).upper == .infinity)
    #expect(!(line * Interval(.infinity)).isDecided)
  }

  @Test func extremaOfWaves() {
    let top = Interval<Double>.sin(Interval(lower: 1, upper: 2))
    #expect(top.upper == 1 && top.lower > 0.84 && top.lower < 0.8415)
    let bottom = Interval<Double>.cos(Interval(lower: 3, upper: 4))
    #expect(bottom.lower == -1 && bottom.upper > -0.654 && bottom.upper < -0.65)
    let rising = Interval<Double>.sin(Interval(lower: -1, upper: 1))
    #expect(rising.lower > -0.8415 && rising.upper < 0.8415)
    let whole = Interval<Double>.cos(Interval(lower: 0, upper: 7))
    #expect(whole.lower == -1 && whole.upper == 1)
    #expect(Interval<Double>.sin(1e300).width == 2)
  }

  @Test func squaresAreNotNegative() {
    let x = Interval<Double>(lower: -1, upper: 2)
    #expect(Interval.square(x).lower == 0 && Interval.square(x).upper == 4)
    #expect((x * x).lower == -2)
  }

  @Test func convenience() {
    let x = Interval<Double>(lower: -1, upper: 3)
    #expect(x.midpoint == 1 && x.width == 4 && x.contains(3) && !x.contains(3.5))
    let wide = x.widened(by: 0.5)
    #expect(wide.lower == -1.5 && wide.upper == 4.5)
    #expect(Interval<Float>.pi.contains(.pi) && !Interval<Float>.pi.isPoint)
    #expect(Interval<Float>(0.1).isPoint && Interval<Float>(0.1).lower == 0.1)
  }
}
