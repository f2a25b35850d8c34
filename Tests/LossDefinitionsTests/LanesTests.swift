import LossDefinitions
import Testing

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A function of lanes, what it is, and the error that its doc comment states.
struct LaneFunction<L: Lanes>: Sendable, CustomTestStringConvertible where L.Element: TestElement {
  let name: String
  /// In ulps of the result.
  let bound: Double
  let lanes: @Sendable (L) -> L
  let truth: @Sendable (DoubleDouble) -> DoubleDouble
  /// The C library's, within an ulp of `Double`: a first answer for `Float`.
  let library: @Sendable (Double) -> Double
  /// Far below zero the function is e^x to all digits.
  var isExponentialTail = false
  /// Ends: arguments with the results that are exactly theirs.
  var ends: [(x: L.Element, result: L.Element)]

  var testDescription: String { "\(L.self).\(name)" }
}

protocol TestElement: BinaryFloatingPoint, Sendable {
  init(randomBits bits: UInt64)
  var bits: UInt64 { get }
}

extension Float: TestElement {
  init(randomBits bits: UInt64) { self.init(bitPattern: UInt32(truncatingIfNeeded: bits)) }
  var bits: UInt64 { UInt64(bitPattern) }
}

extension Double: TestElement {
  init(randomBits bits: UInt64) { self.init(bitPattern: bits) }
  var bits: UInt64 { bitPattern }
}

/// A fixed sequence of pseudo-random bits (SplitMix64).
struct Bits {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func uniform(_ range: ClosedRange<Double>) -> Double {
    range.lowerBound
      + (range.upperBound - range.lowerBound) * (Double(next() >> 11) * 0x1p-53)
  }
}

/// |got − truth| in ulps of the truth; infinite where one is NaN, infinite or zero and the other not.
///
/// Both are given times 2^shift, so that a subnormal truth keeps its digits.
func ulps<E: TestElement>(_ got: E, _ truth: DoubleDouble, shift: Int = 0) -> Double {
  let rounded = shift == 0 ? E(truth.hi) : E(truth.hi * scalbn(1.0, -shift))
  if got.isNaN || rounded.isNaN { return got.isNaN && rounded.isNaN ? 0 : .infinity }
  if got.isInfinite || rounded.isInfinite || truth.hi == 0 { return got == rounded ? 0 : .infinity }
  let difference = DoubleDouble(scalbn(Double(got), Int32(shift))) - truth
  var exponent = Int(truth.hi.exponent)
  if truth.hi.significand == 1, truth.lo != 0, (truth.lo < 0) == (truth.hi > 0) { exponent -= 1 }
  let least = Int(E.leastNonzeroMagnitude.exponent) + shift
  let unit = max(exponent - E.significandBitCount, least)
  return scalbn(difference.hi.magnitude, Int32(-unit))
}

extension LaneFunction {
  static var all: [Self] {
    let infinity = L.Element.infinity
    let zero = L.Element.zero
    let nan = L.Element.nan
    let halfPi = L.Element(1.5707963267948966)
    let least = L.Element.leastNonzeroMagnitude
    let greatest = L.Element.greatestFiniteMagnitude
    return [
      Self(
        name: "exp", bound: 0.76, lanes: { L.exp($0) }, truth: { .exp($0) },
        library: { exp($0) }, isExponentialTail: true,
        ends: [
          (-infinity, 0), (infinity, infinity), (nan, nan), (zero, 1), (-zero, 1), (least, 1),
          (greatest, infinity), (-greatest, 0),
        ]),
      Self(
        name: "expm1", bound: 0.96, lanes: { L.expm1($0) }, truth: { .expm1($0) },
        library: { expm1($0) },
        ends: [
          (-infinity, -1), (infinity, infinity), (nan, nan), (zero, 0), (-zero, -zero),
          (least, least), (-least, -least), (greatest, infinity), (-greatest, -1),
        ]),
      Self(
        name: "sigmoid", bound: 0.76, lanes: { L.sigmoid($0) }, truth: { .sigmoid($0) },
        library: { $0 < 0 ? exp($0) / (1 + exp($0)) : 1 / (1 + exp(-$0)) },
        isExponentialTail: true,
        ends: [
          (-infinity, 0), (infinity, 1), (nan, nan), (zero, 0.5), (-zero, 0.5), (greatest, 1),
          (-greatest, 0),
        ]),
      Self(
        name: "softplus", bound: 1.15, lanes: { L.softplus($0) }, truth: { .softplus($0) },
        library: { $0 > 0 ? $0 + log1p(exp(-$0)) : log1p(exp($0)) }, isExponentialTail: true,
        ends: [
          (-infinity, 0), (infinity, infinity), (nan, nan), (greatest, greatest), (-greatest, 0),
        ]),
      Self(
        name: "log", bound: 0.9, lanes: { L.log($0) }, truth: { .log($0) }, library: { log($0) },
        ends: [
          (zero, -infinity), (-zero, -infinity), (infinity, infinity), (-infinity, nan),
          (nan, nan), (1, 0), (-least, nan), (-1, nan),
        ]),
      Self(
        name: "log1p", bound: 0.9, lanes: { L.log1p($0) }, truth: { .log1p($0) },
        library: { log1p($0) },
        ends: [
          (-1, -infinity), (infinity, infinity), (-infinity, nan), (nan, nan), (zero, 0),
          (-zero, -zero), (least, least), (-least, -least), ((-1 as L.Element).nextDown, nan),
        ]),
      Self(
        name: "atan", bound: 0.73, lanes: { L.atan($0) }, truth: { .atan($0) },
        library: { atan($0) },
        ends: [
          (-infinity, -halfPi), (infinity, halfPi), (nan, nan), (zero, 0), (-zero, -zero),
          (least, least), (-least, -least), (greatest, halfPi), (-greatest, -halfPi),
        ]),
      Self(
        name: "sqrt", bound: 0.5, lanes: { L.sqrt($0) }, truth: { .sqrt($0) },
        library: { sqrt($0) },
        ends: [
          (-infinity, nan), (infinity, infinity), (nan, nan), (zero, 0), (-zero, -zero), (-1, nan),
        ]),
    ]
  }

  func results(_ x: [L.Element]) -> [L.Element] {
    var y = x
    for start in stride(from: 0, to: x.count, by: L.count) {
      x.withUnsafeBufferPointer { source in
        y.withUnsafeMutableBufferPointer { destination in
          lanes(L(source.baseAddress! + start)).store(destination.baseAddress! + start)
        }
      }
    }
    return y
  }

  func error(_ got: L.Element, at x: L.Element) -> Double {
    if isExponentialTail, x < -650, x.isFinite {
      return ulps(got, .exp(DoubleDouble(Double(x)) + .log(2) * 300), shift: 300)
    }
    return ulps(got, truth(DoubleDouble(Double(x))))
  }
}

extension LaneFunction where L == FloatLanes {
  /// The largest error over each `step`-th of all 2^32 floats.
  func largestError(step: Int) -> (error: Double, x: Float) {
    var largest = (error: 0.0, x: Float.zero)
    var x = [Float](repeating: 0, count: 4096)
    var start = 0
    while start < 1 << 32 {
      for i in x.indices { x[i] = Float(bitPattern: UInt32(min(start + i * step, 0xffff_ffff))) }
      let y = results(x)
      for i in x.indices {
        // The library decides where it can; near the bound, and now and then, double-double does.
        var error = ulps(y[i], DoubleDouble(library(Double(x[i]))))
        if error > bound - 0x1p-20 || i & 63 == 0 { error = self.error(y[i], at: x[i]) }
        if error > largest.error { largest = (error, x[i]) }
      }
      start += x.count * step
    }
    return largest
  }
}

/// x, y of `pow` over the whole plane where x^y is neither 0 nor infinite, and the usual exponents.
func powers<E: TestElement>(_: E.Type, count: Int, range: ClosedRange<Double>) -> [(x: E, y: E)] {
  var bits = Bits(state: 11)
  let exponents: [E] = [0.5, 1.5, 2, 2.5, 0.25, 3.75, -1, -0.5, 1, 3, 0.1, 10]
  return (0..<count).map { i in
    var x = E(randomBits: bits.next()).magnitude
    if i & 1 == 0 { x = E(bits.uniform(0...2)) }
    if x.isNaN || x.isInfinite || x == 0 { x = 0.75 }
    let logarithm = log(Double(x))
    let y =
      i & 2 == 0 || logarithm == 0
      ? exponents[i / 4 % exponents.count] : E(bits.uniform(range) / logarithm)
    return (x, y)
  }
}

@Suite struct LanesTests {
  static let floats = LaneFunction<FloatLanes>.all
  static let doubles = LaneFunction<DoubleLanes>.all

  @Test(arguments: floats)
  func floatErrorIsWithinTheStatedBound(_ function: LaneFunction<FloatLanes>) {
    let largest = function.largestError(step: 2039)
    #expect(largest.error <= function.bound, "at \(largest.x)")
  }

  @Test(
    .enabled(
      if: getenv("LOSSES_EXHAUSTIVE") != nil,
      "minutes a function: set LOSSES_EXHAUSTIVE=1 for all 2^32 floats, or 37 for each 37th"),
    arguments: floats)
  func floatErrorIsWithinTheStatedBoundEverywhere(_ function: LaneFunction<FloatLanes>) {
    let step = getenv("LOSSES_EXHAUSTIVE").flatMap { Int(String(cString: $0)) } ?? 1
    let largest = function.largestError(step: step)
    #expect(largest.error <= function.bound, "at \(largest.x)")
  }

  @Test(arguments: doubles)
  func doubleErrorIsWithinTheStatedBound(_ function: LaneFunction<DoubleLanes>) {
    var bits = Bits(state: 7)
    let ranges = [-750...720, -40...40, -1...1, 0...3, -0x1p-20...0x1p-20]
    let x = (0..<240_000).map { i in
      i % 6 < 5 ? bits.uniform(ranges[i % 6]) : Double(bitPattern: bits.next())
    }
    let y = function.results(x)
    var largest = (error: 0.0, x: 0.0)
    for (x, y) in zip(x, y) {
      let error = function.error(y, at: x)
      if error > largest.error { largest = (error, x) }
    }
    #expect(largest.error <= function.bound, "at \(largest.x)")
  }

  @Test(arguments: floats) func floatEnds(_ function: LaneFunction<FloatLanes>) {
    checkEnds(function)
  }

  @Test(arguments: doubles) func doubleEnds(_ function: LaneFunction<DoubleLanes>) {
    checkEnds(function)
  }

  private func checkEnds<L: Lanes>(_ function: LaneFunction<L>) {
    for (x, expected) in function.ends {
      let result = function.lanes(L(repeating: x))[L.count - 1]
      let isSame = result == expected && result.sign == expected.sign
      #expect(isSame || (result.isNaN && expected.isNaN), "at \(x): \(result), not \(expected)")
    }
  }

  // MARK: Powers

  @Test func floatPower() {
    checkPower(FloatLanes.self, count: 400_000, range: -103.9...88.7)
  }

  @Test func doublePower() {
    checkPower(DoubleLanes.self, count: 200_000, range: -745...709.7)
  }

  private func checkPower<L: Lanes>(_: L.Type, count: Int, range: ClosedRange<Double>)
  where L.Element: TestElement {
    var largest = (error: 0.0, x: L.Element.zero, y: L.Element.zero)
    for (x, y) in powers(L.Element.self, count: count, range: range) {
      let result = L.pow(L(repeating: x), L(repeating: y))[0]
      let exponent = DoubleDouble(Double(y)) * .log(DoubleDouble(Double(x)))
      let shift = exponent.hi < -600 && exponent.hi > -800 ? 300 : 0
      let truth = DoubleDouble.exp(exponent + .log(2) * DoubleDouble(Double(shift)))
      let error = ulps(result, truth, shift: shift)
      if error > largest.error { largest = (error, x, y) }
    }
    #expect(largest.error <= 0.77, "\(largest.x) to the power \(largest.y)")
  }

  @Test func powerEnds() {
    checkPowerEnds(FloatLanes.self)
    checkPowerEnds(DoubleLanes.self)
  }

  private func checkPowerEnds<L: Lanes>(_: L.Type) where L.Element: TestElement {
    let infinity = L.Element.infinity
    let least = L.Element.leastNonzeroMagnitude
    let greatest = L.Element.greatestFiniteMagnitude
    let values: [L.Element] = [0, least, 0.5, 1, 2, greatest, infinity, .nan]
    for x in values {
      for y in values + values.map({ -$0 }) {
        let result = L.pow(L(repeating: x), L(repeating: y))[0]
        let truth = L.Element(pow(Double(x), Double(y)))
        #expect(
          ulps(result, DoubleDouble(Double(truth))) <= 1,
          "\(x) to the power \(y): \(result), not \(truth)")
      }
    }
    let belowZero = L.pow(L(-1), L(0.5))[0]
    #expect(belowZero.isNaN)
  }

  // MARK: Double words

  @Test func exponentialOfADoubleWord() {
    checkExponential(FloatLanes.self, range: -103...88)
    checkExponential(DoubleLanes.self, range: -650...709)
  }

  private func checkExponential<L: Lanes>(_: L.Type, range: ClosedRange<Double>)
  where L.Element: TestElement {
    var bits = Bits(state: 5)
    var largest = 0.0
    for _ in 0..<100_000 {
      let high = L.Element(bits.uniform(range))
      let low = L.Element(bits.uniform(-0.5...0.5)) * high.ulp
      let result = L.exp(L(repeating: high), L(repeating: low))[0]
      let truth = DoubleDouble.exp(DoubleDouble(Double(high)) + DoubleDouble(Double(low)))
      largest = max(largest, ulps(result, truth))
    }
    #expect(largest <= 0.76)
  }

  @Test func logarithmsAsDoubleWords() {
    checkParts(FloatLanes.self, bits: 33, softplusBits: 27)
    checkParts(DoubleLanes.self, bits: 64, softplusBits: 56)
  }

  private func checkParts<L: Lanes>(_: L.Type, bits digits: Double, softplusBits: Double)
  where L.Element: TestElement {
    var bits = Bits(state: 3)
    var largest = (log: 0.0, log1p: 0.0, softplus: 0.0)
    func relative(_ parts: (high: L, low: L), _ truth: DoubleDouble) -> Double {
      let difference =
        (DoubleDouble(Double(parts.high[0])) - truth) + DoubleDouble(Double(parts.low[0]))
      return (difference / truth).hi.magnitude
    }
    for i in 0..<100_000 {
      let any = L.Element(randomBits: bits.next()).magnitude
      let positive = i & 1 == 0 && any.isFinite && any > 0 ? any : L.Element(bits.uniform(0...3))
      if positive != 0, positive != 1 {
        let truth = DoubleDouble.log(DoubleDouble(Double(positive)))
        largest.log = max(largest.log, relative(L.logParts(L(repeating: positive)), truth))
      }
      let x = L.Element(i & 1 == 0 ? bits.uniform(-1...3) : bits.uniform(-0.01...0.01))
      if x != -1, x.magnitude > 0x1p-20 {
        let truth = DoubleDouble.log1p(DoubleDouble(Double(x)))
        largest.log1p = max(largest.log1p, relative(L.log1pParts(L(repeating: x)), truth))
      }
      let logit = L.Element(bits.uniform(-20...80))
      let truth = DoubleDouble.softplus(DoubleDouble(Double(logit)))
      let error = relative(L.softplusParts(L(repeating: logit)), truth)
      largest.softplus = max(largest.softplus, error * min(1, truth.hi))
    }
    #expect(-log2(largest.log) >= digits)
    #expect(-log2(largest.log1p) >= digits)
    #expect(-log2(largest.softplus) >= softplusBits)
  }

  @Test func sumsAndProductsKeepTheirErrors() {
    var bits = Bits(state: 1)
    for _ in 0..<10_000 {
      let a = bits.uniform(-1...1)
      let b = scalbn(bits.uniform(-1...1), Int32(truncatingIfNeeded: bits.next() % 40) - 20)
      let x = Float(a)
      let y = Float(b)
      let sum = FloatLanes.twoSum(FloatLanes(repeating: x), FloatLanes(repeating: y))
      #expect(sum.high[0] == x + y)
      #expect(Double(sum.high[0]) + Double(sum.low[0]) == Double(x) + Double(y))
      let product = FloatLanes.twoProduct(FloatLanes(repeating: x), FloatLanes(repeating: y))
      #expect(product.high[0] == x * y)
      #expect(Double(product.high[0]) + Double(product.low[0]) == Double(x) * Double(y))
      let wide = DoubleLanes.twoProduct(DoubleLanes(a), DoubleLanes(b))
      #expect(wide.high[3] == a * b)
      #expect(wide.low[3] == fma(a, b, -(a * b)))
      let total = DoubleLanes.twoSum(DoubleLanes(a), DoubleLanes(b))
      let exact = DoubleDouble(a) + DoubleDouble(b)
      #expect(total.high[2] == exact.hi)
      #expect(total.low[2] == exact.lo)
    }
  }

  // MARK: Lanes

  @Test func aLaneDoesNotDependOnItsPlace() {
    for function in Self.floats { checkPlaces(function) }
    for function in Self.doubles { checkPlaces(function) }
    func binary<L: Lanes>(_: L.Type) where L.Element: TestElement {
      for y in [0.5, -2.7, 40] {
        checkPlaces(
          LaneFunction<L>(
            name: "pow", bound: 1, lanes: { L.pow($0, L(y)) }, truth: { $0 }, library: { $0 },
            ends: []))
      }
    }
    binary(FloatLanes.self)
    binary(DoubleLanes.self)
  }

  private func checkPlaces<L: Lanes>(_ function: LaneFunction<L>) {
    var bits = Bits(state: 17)
    for i in 0..<300 {
      let x =
        i & 1 == 0 ? L.Element(bits.uniform(-20...20)) : L.Element(randomBits: bits.next())
      let alone = function.lanes(L(repeating: x))[0]
      for place in 0..<L.count {
        var vector = L.zero
        for lane in 0..<L.count { vector[lane] = L.Element(randomBits: bits.next()) }
        vector[place] = x
        let result = function.lanes(vector)[place]
        #expect(
          result.bits == alone.bits || (result.isNaN && alone.isNaN),
          "\(function.testDescription)(\(x)) in lane \(place)")
      }
    }
  }

  @Test func comparisonsSelectionsAndBounds() {
    checkComparisons(FloatLanes.self)
    checkComparisons(DoubleLanes.self)
  }

  private func checkComparisons<L: Lanes>(_: L.Type) where L.Element: TestElement {
    let values: [L.Element] = [-.infinity, -1, -0.0, 0, 1, 2, .infinity, .nan]
    func isTrue(_ mask: L.Mask) -> Bool { L.select(mask, .one, .zero)[L.count - 1] == 1 }
    for a in values {
      for b in values {
        let (x, y) = (L(repeating: a), L(repeating: b))
        #expect(isTrue(x .< y) == (a < b))
        #expect(isTrue(x .<= y) == (a <= b))
        #expect(isTrue(x .== y) == (a == b))
        #expect(isTrue(!(x .< y)) == !(a < b))
        #expect(isTrue((x .< y) | (x .== y)) == (a < b || a == b))
        #expect(isTrue((x .<= y) & (y .<= x)) == (a <= b && b <= a))
        let larger = L.max(x, y)[0]
        let smaller = L.min(x, y)[0]
        if a.isNaN || b.isNaN {
          #expect(larger.isNaN && smaller.isNaN)
        } else {
          #expect(larger == Swift.max(a, b) && smaller == Swift.min(a, b))
        }
      }
      #expect(L.abs(L(repeating: a))[0].bits == a.magnitude.bits)
      #expect((-L(repeating: a))[0].bits == (-a).bits || a.isNaN)
    }
  }

  @Test func loadsAndStoresNeedNoAlignment() {
    let source = (0..<20).map(Float.init)
    var destination = [Float](repeating: -1, count: 20)
    for start in 0...12 {
      source.withUnsafeBufferPointer { source in
        destination.withUnsafeMutableBufferPointer { destination in
          FloatLanes(source.baseAddress! + start).store(destination.baseAddress! + start)
        }
      }
      #expect(destination[start..<start + 8] == source[start..<start + 8])
    }
    #expect(destination == source)
  }
}
