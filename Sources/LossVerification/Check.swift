import LossDefinitions

/// The format that a candidate answers in, which sets the size of its ulp.
public enum Precision: String, Sendable, Codable, CaseIterable {
  case float
  case double

  /// The unit in the last place of a number of this size, no smaller than the smallest subnormal.
  func ulp(_ size: DoubleDouble) -> Double {
    let magnitude = size.hi.magnitude
    guard magnitude.isFinite else { return .infinity }
    let (digits, floor) = self == .float ? (23, -149) : (52, -1074)
    guard magnitude > 0 else { return Double(sign: .plus, exponent: floor, significand: 1) }
    return Double(
      sign: .plus, exponent: Swift.max(floor, Int(magnitude.exponent) - digits), significand: 1)
  }

  /// The largest finite number.
  var greatest: Double {
    self == .float ? Double(Float.greatestFiniteMagnitude) : Double.greatestFiniteMagnitude
  }
}

/// One broken claim, with the case that shows it.
public struct Finding: Sendable, CustomStringConvertible {
  public let claim: String
  /// The item itself, or which scene or problem it is.
  public let at: String
  public let detail: String

  public var description: String { "\(claim): \(detail)\n  \(at)" }
}

/// What the judge saw of some items.
public struct Tally: Sendable {
  public var items = 0
  public var worstValue = Worst()
  public var worstGradient = Worst()
  /// Items where the reference has a kink, and the gradient was held against both sides.
  public var kinks = 0
  /// Items whose oracle was too wide to decide.
  public var inconclusive = 0
  /// Gradients of the reference that finite differences confirmed.
  public var differences = 0
  public var lawsHeld = 0
  public var lawsUndecided = 0
  public var findings: [Finding] = []
  public var failures = 0

  public struct Worst: Sendable {
    public var ulps = 0.0
    public var item: Item?
    /// Where it was: configuration and stratum.
    public var place = ""
  }

  public init() {}

  mutating func fail(_ claim: String, _ item: Item, _ detail: String) {
    fail(claim, "prediction \(item.prediction)\n  target \(item.target)", detail)
  }

  mutating func fail(_ claim: String, _ place: String, _ detail: String) {
    failures += 1
    if findings.count < 8 { findings.append(Finding(claim: claim, at: place, detail: detail)) }
  }

  mutating func sawValue(_ ulps: Double, _ place: String, _ item: Item? = nil) {
    if ulps > worstValue.ulps { worstValue = Worst(ulps: ulps, item: item, place: place) }
  }

  mutating func sawGradient(_ ulps: Double, _ place: String, _ item: Item? = nil) {
    if ulps > worstGradient.ulps { worstGradient = Worst(ulps: ulps, item: item, place: place) }
  }

  public mutating func merge(_ other: Tally) {
    items += other.items
    if other.worstValue.ulps > worstValue.ulps { worstValue = other.worstValue }
    if other.worstGradient.ulps > worstGradient.ulps { worstGradient = other.worstGradient }
    kinks += other.kinks
    inconclusive += other.inconclusive
    differences += other.differences
    lawsHeld += other.lawsHeld
    lawsUndecided += other.lawsUndecided
    failures += other.failures
    findings += other.findings.prefix(Swift.max(0, 8 - findings.count))
  }
}

/// Everything that is claimed of a loss, on some items: the only judge.
///
/// For each item: the candidate's value and gradient lie within the loss's bars of the oracle; where
/// the reference has a kink, the gradient lies between the one-sided derivatives. For every
/// `thorough`-th item also: dual numbers agree with finite differences where intervals prove the
/// stencil smooth; every declared law holds, on the oracle and on the candidate's own output; and the
/// candidate gives the item the same bits in another batch.
///
/// - Parameters:
///   - items: numbers that the precision holds exactly, as the loss's hyperparameters must be.
///   - candidate: who is judged: our kernels, or anyone's.
public func check<L: Loss>(
  _ loss: L, _ items: [Item], candidate: any Evaluator, precision: Precision, thorough: Int = 8,
  place: String = ""
) -> Tally {
  var tally = Tally()
  let answers: [Gradient<Double>]
  do {
    answers = try candidate.evaluate(loss, items)
  } catch {
    tally.items = items.count
    if let first = items.first { tally.fail("answer", first, "\(error)") }
    return tally
  }
  let judge = Judge(loss: loss, candidate: candidate, precision: precision)
  for (index, item) in items.enumerated() {
    tally.items += 1
    let smooth = judge.accuracy(item, answers[index], place, &tally)
    if index % thorough == 0 {
      if smooth { judge.differences(item, seed: index, &tally) }
      judge.laws(item, &tally)
    }
  }
  judge.independence(items, answers, stride: thorough, &tally)
  return tally
}

private struct Judge<L: Loss> {
  let loss: L
  let candidate: any Evaluator
  let precision: Precision

  // MARK: Accuracy

  /// Whether the reference is proven smooth around the item.
  func accuracy(
    _ item: Item, _ answer: Gradient<Double>, _ place: String, _ tally: inout Tally
  ) -> Bool {
    let truth = loss.enclosure(ofGradientAt: item, widened: 0)
    let around = loss.enclosure(ofGradientAt: item, widened: 1)
    let smooth = around.value.isDecided && around.prediction.allSatisfy(\.isDecided)
    if !smooth { tally.kinks += 1 }

    guard let error = ulps(answer.value, truth.value, precision.ulp(truth.value.midpoint)) else {
      tally.inconclusive += 1
      tally.fail("oracle", item, "the value's enclosure is too wide")
      return false
    }
    tally.sawValue(error, place, item)
    if !(error <= L.valueBar) {
      tally.fail(
        "value", item,
        "got \(answer.value), truth \(truth.value.midpoint.hi): \(error) ulp, bar \(L.valueBar)")
    }

    var scale = DoubleDouble(0)
    for component in truth.prediction + loss.enclosure(ofTermsAt: item) {
      scale = .max(scale, .abs(component.midpoint))
    }
    let unit = precision.ulp(scale)
    for (k, got) in answer.prediction.enumerated() {
      let sides = hull(truth.prediction[k], around.prediction[k])
      // A pole within the stencil's reach leaves no bound around the point: there the derivative at
      // the point itself decides.
      let exact = smooth || !(sides.lower.hi.isFinite && sides.upper.hi.isFinite)
      let band = exact ? truth.prediction[k] : sides
      guard let error = exact ? ulps(got, band, unit) : outside(got, band, unit) else {
        tally.inconclusive += 1
        tally.fail("oracle", item, "the enclosure of gradient \(k) is too wide")
        return false
      }
      tally.sawGradient(error, place, item)
      if !(error <= L.gradientBar) {
        let bounds = "[\(band.lower.hi), \(band.upper.hi)]"
        tally.fail(
          "gradient \(k)", item,
          "got \(got), truth \(bounds): \(error) ulp of the scale \(scale.hi), "
            + "bar \(L.gradientBar)")
      }
    }
    return smooth
  }

  /// The distance to the truth in units; nil where the oracle is too wide to tell.
  private func ulps(_ got: Double, _ truth: Interval<DoubleDouble>, _ unit: Double) -> Double? {
    let middle = truth.midpoint
    if middle.hi.isNaN { return got.isNaN ? 0 : .infinity }
    if got.isNaN { return .infinity }
    // Beyond the largest number the right answer is infinity.
    if middle.hi.magnitude > precision.greatest {
      return got.isInfinite && (got > 0) == (middle.hi > 0) ? 0 : .infinity
    }
    guard truth.width.hi <= 0x1p-10 * unit else {
      // Near the end of the range of Double the oracle's own low parts underflow: it tells no more
      // than that an answer is outside of it.
      return truth.upper.hi.magnitude <= 0x1p-1000 && truth.lower.hi.magnitude <= 0x1p-1000
        ? outside(got, truth, unit) : nil
    }
    guard got.isFinite else { return .infinity }
    return DoubleDouble.abs(DoubleDouble(got) - middle).hi / unit
  }

  /// The distance to the band between the one-sided derivatives.
  private func outside(_ got: Double, _ band: Interval<DoubleDouble>, _ unit: Double) -> Double? {
    guard band.lower.hi.isFinite, band.upper.hi.isFinite else { return nil }
    guard got.isFinite else { return .infinity }
    let x = DoubleDouble(got)
    let beyond = DoubleDouble.max(band.lower - x, x - band.upper)
    return Swift.max(0, beyond.hi / unit)
  }

  private func hull(
    _ a: Interval<DoubleDouble>, _ b: Interval<DoubleDouble>
  ) -> Interval<DoubleDouble> {
    Interval(lower: .min(a.lower, b.lower), upper: .max(a.upper, b.upper))
  }

  // MARK: The reference against itself

  /// Dual numbers (or the tape) against central differences, for at most 32 coordinates.
  func differences(_ item: Item, seed: Int, _ tally: inout Tally) {
    var coordinates = Array(item.prediction.indices)
    if coordinates.count > 64 {
      var random = SplitMix(seed: UInt64(seed), L.name)
      coordinates = Array(coordinates.shuffled(using: &random).prefix(32))
    }
    let truth = loss.enclosure(ofGradientAt: item, widened: 0)
    let slopes = loss.differences(at: item, coordinates: coordinates)
    // Values below 2^−1000 have underflowed.
    var scale = Swift.max(precision.ulp(0), 0x1p-960)
    for component in truth.prediction { scale = Swift.max(scale, component.midpoint.hi.magnitude) }
    for (quotient, k) in zip(slopes, coordinates) {
      let error = (quotient.slope - truth.prediction[k].midpoint).hi.magnitude
      if !(error <= 4 * quotient.error.hi + 0x1p-40 * scale) {
        tally.fail(
          "finite differences", item,
          "slope \(k): \(quotient.slope.hi) by differences, "
            + "\(truth.prediction[k].midpoint.hi) by duals")
        return
      }
    }
    tally.differences += 1
  }

  // MARK: Laws

  func laws(_ item: Item, _ tally: inout Tally) {
    let oracle = OracleValues()
    let own = CandidateValues(candidate: candidate, precision: precision)
    for law in L.laws {
      for (who, values) in [("reference", oracle as any LawValues), ("candidate", own)] {
        switch law.check(loss, item, values) {
        case .holds: tally.lawsHeld += 1
        case .undecided: tally.lawsUndecided += 1
        case .refuted(let why): tally.fail("law \"\(law.statement)\" (\(who))", item, why)
        }
      }
    }
  }

  // MARK: Independence

  /// The same bits alone and in the reversed batch, for every `stride`-th item.
  func independence(
    _ items: [Item], _ answers: [Gradient<Double>], stride: Int, _ tally: inout Tally
  ) {
    guard let reversed = try? candidate.evaluate(loss, items.reversed()) else { return }
    for (index, item) in items.enumerated() {
      let there = reversed[items.count - 1 - index]
      if !same(answers[index], there) {
        tally.fail("order", item, "another answer in the reversed batch")
      }
      if index % stride == 0, let alone = try? candidate.evaluate(loss, [item])[0],
        !same(answers[index], alone)
      {
        tally.fail("batch", item, "another answer in a batch of one")
      }
    }
  }

  private func same(_ a: Gradient<Double>, _ b: Gradient<Double>) -> Bool {
    func bits(_ g: Gradient<Double>) -> [UInt64] {
      ([g.value] + g.prediction).map { $0.isNaN ? Double.nan.bitPattern : $0.bitPattern }
    }
    return bits(a) == bits(b)
  }
}

/// A law's values from the oracle.
struct OracleValues: LawValues {
  func value<M: Loss>(_ loss: M, _ item: Item) -> Interval<DoubleDouble> {
    loss.enclosure(at: item, widened: 0)
  }

  func loose<M: Loss>(_ loss: M, _ item: Item) -> Interval<DoubleDouble> { value(loss, item) }
}

/// A law's values from a candidate's own answers.
private struct CandidateValues: LawValues {
  let candidate: any Evaluator
  let precision: Precision

  func value<M: Loss>(_ loss: M, _ item: Item) -> Interval<DoubleDouble> {
    guard let answer = try? candidate.evaluate(loss, [item]).first else {
      return Interval(Double.nan)
    }
    return Interval(answer.value)
  }

  func loose<M: Loss>(_ loss: M, _ item: Item) -> Interval<DoubleDouble> {
    let point = value(loss, item)
    let slack = DoubleDouble(M.valueBar * precision.ulp(point.midpoint))
    return Interval(lower: point.lower - slack, upper: point.upper + slack)
  }
}
