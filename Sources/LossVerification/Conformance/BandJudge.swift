import LossDefinitions

/// Holds answers against bands.
struct BandJudge<L: Loss>: Sendable {
  /// Its hyperparameters are numbers of the format.
  let loss: L
  let rounding: Rounding
  /// Whether the program answers 1 − L.
  let isSimilarity: Bool

  private var format: Format { rounding.format }

  /// Judges items with answers; nil where there is none.
  func judge(
    _ items: [Item], _ answers: [(value: Double, gradient: [Double]?)?]
  ) -> [Judgement?] {
    // In Double itself the kernel is no truth.
    let exact = format == .f64 ? nil : try? KernelEvaluator<Double>().evaluate(loss, items)
    return items.indices.map { i in
      guard let (value, gradient) = answers[i] else { return nil }
      let naive = signed(loss.enclosure(ofGradientAt: items[i], rounding: rounding))
      if let exact, let judgement = tight(value, gradient, naive, signed(exact[i])) {
        return judgement
      }
      return judge(items[i], value, gradient, naive)
    }
  }

  /// Judges one answer, with every number's band.
  func judge(_ item: Item, _ value: Double, _ gradient: [Double]?) -> Judgement {
    judge(item, value, gradient, signed(loss.enclosure(ofGradientAt: item, rounding: rounding)))
  }

  private func judge(
    _ item: Item, _ value: Double, _ gradient: [Double]?, _ naive: Gradient<Interval<Narrow>>
  ) -> Judgement {
    var bands = bands(at: item, naive)
    var judgement = read(value, gradient, bands, item)
    if judgement.gradient.contains(where: { !$0.placement.isPassed }) {
      // At a kink either side's derivative is right, and what lies between them.
      bands.sides = signed(loss.enclosure(ofGradientAt: item, widened: 1))
      judgement = read(value, gradient, bands, item)
    }
    if judgement.placement != .outside { return judgement }
    // Another order of the operations rounds where the naive one is exact.
    var loose = rounding
    loose.everywhere = true
    bands.naive = signed(loss.enclosure(ofGradientAt: item, rounding: loose))
    let again = read(value, gradient, bands, item)
    // Where that leaves nothing known, what the naive order says stands for what is not even there.
    func better(_ first: Reading, _ second: Reading) -> Reading {
      guard second.placement == .open else { return second }
      return second.band?.tight.contains(second.got) == true ? second : first
    }
    return Judgement(
      value: better(judgement.value, again.value),
      gradient: zip(judgement.gradient, again.gradient).map(better), isKink: again.isKink)
  }

  // MARK: The short way

  /// The judgement of an answer inside the naive reference's hull, which holds the truth: the verdict
  /// needs no closer bounds of it, and the distances take the kernel in Double for the truth. Nil
  /// where any number is not inside, or the band says nothing, or the kernel is not inside either.
  private func tight(
    _ value: Double, _ gradient: [Double]?, _ naive: Gradient<Interval<Narrow>>,
    _ exact: Gradient<Double>
  ) -> Judgement? {
    func reading(
      _ got: Double, _ truth: Double, _ hull: Interval<Narrow>, floor: Double, size: Double,
      vacuous: Double
    ) -> Reading? {
      let (lower, upper) = (hull.lower.value, hull.upper.value)
      guard lower <= got, got <= upper, lower <= truth, truth <= upper else { return nil }
      let half = Swift.max(floor, 0.5 * (upper - lower))
      guard upper - lower < .infinity, 2 * Band.reach * half <= widest(vacuous) || half == 0
      else { return nil }
      let distance = (got - truth).magnitude
      return Reading(
        placement: .tight, got: got, band: nil, isBelow: got < truth,
        halfWidths: distance == 0 ? 0 : distance / half,
        ulps: distance == 0 ? 0 : distance / format.ulp(of: size))
    }
    let size = exact.value.magnitude
    guard
      let first = reading(
        value, exact.value, naive.value, floor: 0, size: size, vacuous: Swift.max(1, size))
    else { return nil }
    var judgement = Judgement(value: first, gradient: [])
    guard let gradient else { return judgement }
    var largest = 0.0
    for component in exact.prediction { largest = Swift.max(largest, component.magnitude) }
    judgement.gradient.reserveCapacity(gradient.count)
    for k in gradient.indices {
      guard
        let next = reading(
          gradient[k], exact.prediction[k], naive.prediction[k], floor: 2 * format.unit * largest,
          size: largest, vacuous: largest)
      else { return nil }
      judgement.gradient.append(next)
    }
    return judgement
  }

  /// What a band may be at most, against the size that it is measured by, and still say something.
  private func widest(_ vacuous: Double) -> Double {
    Swift.max(0x1p-6, 128 * format.unit) * vacuous
  }

  // MARK: Bands

  /// Certified bounds, and what the format's rounding makes of them.
  struct Bands {
    let truth: Gradient<Interval<DoubleDouble>>
    var naive: Gradient<Interval<Narrow>>
    var sides: Gradient<Interval<DoubleDouble>>?
  }

  func bands(at item: Item, _ naive: Gradient<Interval<Narrow>>) -> Bands {
    if format != .f64 {
      // Bounds in Double are certified, too, and mostly narrow enough.
      let double = signed(loss.enclosure(ofGradientAt: item, rounding: Rounding(.f64)))
      let isNarrow = zip([double.value] + double.prediction, [naive.value] + naive.prediction)
        .allSatisfy { truth, band in
          truth.upper.value - truth.lower.value
            <= 0x1p-12 * (band.upper.value - band.lower.value)
        }
      if isNarrow { return Bands(truth: double.map { $0.extended }, naive: naive) }
    }
    return Bands(truth: signed(loss.enclosure(ofGradientAt: item, widened: 0)), naive: naive)
  }

  func signed<Number: Scalar>(_ gradient: Gradient<Number>) -> Gradient<Number> {
    guard isSimilarity else { return gradient }
    return Gradient(
      1 - gradient.value, prediction: gradient.prediction.map { -$0 }, target: [])
  }

  // MARK: Reading

  private func read(
    _ value: Double, _ gradient: [Double]?, _ bands: Bands, _ item: Item
  ) -> Judgement {
    let size = bands.truth.value.midpoint.hi.magnitude
    func whole(_ floor: Double) -> Reading {
      read(
        value, bands.truth.value, bands.naive.value, floor: floor, size: size,
        vacuous: Swift.max(1, size))
    }
    var first = whole(0)
    if first.placement == .outside { first = whole(floors(at: item, bands).value) }
    guard let gradient else { return Judgement(value: first, gradient: []) }
    let largest = largestSlope(bands)
    func components(_ scale: Double, _ floor: Double) -> [Reading] {
      gradient.indices.map { k in
        read(
          gradient[k], bands.truth.prediction[k], bands.naive.prediction[k], floor: floor,
          size: largest, vacuous: scale, sides: bands.sides?.prediction[k])
      }
    }
    var readings = components(largest, 2 * format.unit * largest)
    if readings.contains(where: { $0.placement == .outside }) {
      let floors = floors(at: item, bands)
      readings = components(floors.scale, floors.gradient)
    }
    return Judgement(
      value: first, gradient: readings, isKink: readings.contains { $0.band?.sides != nil })
  }

  /// What the half-widths are at least where the bands do not explain a number: the terms that the
  /// gradient is a difference of may be larger than it is, and the field's formula may lose more. The
  /// scale is what a gradient's band must be narrow against.
  func floors(
    at item: Item, _ bands: Bands
  ) -> (value: Double, gradient: Double, scale: Double) {
    let terms = loss.enclosure(ofTermsAt: item).map(\.midpoint.hi)
    let largest = largestSlope(bands)
    let scale = terms.max().map { $0 > largest ? $0 : largest } ?? largest
    let usual = loss.errorOfUsualFormula(at: item, format.unit)
    // A slope that the usual formula has lost is known no better than the terms it subtracts.
    return (
      usual.value, Swift.max(2 * format.unit * scale, usual.gradient),
      Swift.max(scale, usual.gradient / (2 * format.unit))
    )
  }

  /// The largest component of the gradient, at a kink that of either side.
  func largestSlope(_ bands: Bands) -> Double {
    var largest = 0.0
    for component in bands.truth.prediction {
      largest = Swift.max(largest, component.midpoint.hi.magnitude)
    }
    for side in bands.sides?.prediction ?? [] where !side.isDecided {
      for end in [side.lower.hi.magnitude, side.upper.hi.magnitude] where end.isFinite {
        largest = Swift.max(largest, end)
      }
    }
    return largest
  }

  /// - Parameters:
  ///   - floor: what the half-width is at least.
  ///   - size: of what an ulp is counted.
  ///   - vacuous: the size that a band must be narrow against.
  private func read(
    _ got: Double, _ truth: Interval<DoubleDouble>, _ naive: Interval<Narrow>, floor: Double,
    size: Double, vacuous: Double, sides: Interval<DoubleDouble>? = nil
  ) -> Reading {
    let middle = truth.midpoint.hi
    func reading(_ placement: Placement, _ band: Band? = nil) -> Reading {
      let distance = DoubleDouble.abs(DoubleDouble(got) - truth.midpoint).hi
      let isExact = distance == 0 || got == middle
      let half = band?.halfWidth ?? 0
      return Reading(
        placement: placement, got: got, band: band, isBelow: got < middle,
        halfWidths: isExact ? 0 : distance.isFinite && half > 0 ? distance / half : .infinity,
        ulps: isExact ? 0 : distance.isFinite ? distance / format.ulp(of: size) : .infinity)
    }
    // What has no value, or an infinite one, is a class by itself.
    if middle.isNaN { return reading(truth.isDecided && got.isNaN ? .tight : .open) }
    if truth.isPoint, middle.isInfinite { return reading(got == middle ? .tight : .outside) }
    if truth.lower.hi > format.greatest, got == .infinity { return reading(.tight) }
    if truth.upper.hi < -format.greatest, got == -.infinity { return reading(.tight) }

    guard
      let (band, isOpen) = band(truth, naive, floor: floor, vacuous: vacuous, sides: sides)
    else { return reading(.open) }
    if isOpen { return reading(.open, band) }
    if band.tight.contains(got) { return reading(.tight, band) }
    return reading(band.accurate.contains(got) ? .accurate : .outside, band)
  }

  /// The band of a number that has finite bounds, and whether it says nothing.
  func band(
    _ truth: Interval<DoubleDouble>, _ naive: Interval<Narrow>, floor: Double, vacuous: Double,
    sides: Interval<DoubleDouble>? = nil
  ) -> (Band, isOpen: Bool)? {
    let lower = Swift.min(naive.lower.value, Self.down(truth.lower))
    let upper = Swift.max(naive.upper.value, Self.up(truth.upper))
    guard lower.isFinite, upper.isFinite, lower <= upper else { return nil }
    let half = Swift.max(floor, 0.5 * (upper - lower))
    var band = Band(truth: truth, tight: lower...upper, halfWidth: half)
    let isKnown = truth.width.hi <= 0x1p-10 * half || truth.isPoint
    guard isKnown, 2 * Band.reach * half <= widest(vacuous) || half == 0 else {
      return (band, true)
    }
    if let sides, !sides.isDecided, sides.lower.hi.isFinite, sides.upper.hi.isFinite {
      band.sides =
        Swift.min(sides.lower.hi, truth.lower.hi)...Swift.max(sides.upper.hi, truth.upper.hi)
    }
    return (band, false)
  }

  private static func down(_ x: DoubleDouble) -> Double { x.lo < 0 ? x.hi.nextDown : x.hi }
  private static func up(_ x: DoubleDouble) -> Double { x.lo > 0 ? x.hi.nextUp : x.hi }
}

extension Interval<Narrow> {
  /// The same bounds, in more digits.
  fileprivate var extended: Interval<DoubleDouble> {
    Interval<DoubleDouble>(
      lower: lower.extended, upper: upper.extended, isDecided: isDecided)
  }
}

extension Gradient {
  fileprivate func map<Other>(_ transform: (Number) -> Other) -> Gradient<Other> {
    Gradient<Other>(
      transform(value), prediction: prediction.map(transform), target: target.map(transform))
  }
}
