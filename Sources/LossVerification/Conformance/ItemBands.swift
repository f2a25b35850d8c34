import LossDefinitions

/// Between what all numbers of an item have to lie, without an answer at hand.
struct ItemBands: Sendable {
  /// The band of one number.
  struct Whole: Sendable, Equatable {
    var truth: Double
    var tight: ClosedRange<Double>
    /// Holds what `BandJudge` passes: also another order of the operations, the gradient's largest
    /// terms, and what lies between the sides of a kink.
    var accurate: ClosedRange<Double>
    /// Whether the one-sided derivatives differ by more than the band without them.
    var isKink = false
    /// Whether bounds of the derivatives about the item are known.
    var isSettled = true
  }

  /// Nil where the band is open: it judges no answer.
  var value: Whole?
  var gradient: [Whole?]
  /// Whether every comparison near the item is decided.
  var isDecided: Bool

  var all: [Whole?] { [value] + gradient }
}

extension BandJudge {
  /// The bands outside of which `judge` finds a number of an answer wrong whose others are right.
  func itemBands(at item: Item) -> ItemBands {
    let sides = signed(loss.enclosure(ofGradientAt: item, widened: 1))
    var strict = bands(
      at: item, signed(loss.enclosure(ofGradientAt: item, rounding: rounding)))
    strict.sides = sides
    var looseRounding = rounding
    looseRounding.everywhere = true
    let loose = signed(loss.enclosure(ofGradientAt: item, rounding: looseRounding))

    let floors = floors(at: item, strict)
    let size = strict.truth.value.midpoint.hi.magnitude
    let value = whole(
      strict.truth.value, strict.naive.value, loose.value, floor: (0, floors.value),
      vacuous: (Swift.max(1, size), Swift.max(1, size)), sides: nil)
    let largest = largestSlope(strict)
    let unit = 2 * rounding.format.unit
    let gradient = strict.truth.prediction.indices.map { k in
      whole(
        strict.truth.prediction[k], strict.naive.prediction[k], loose.prediction[k],
        floor: (unit * largest, floors.gradient), vacuous: (largest, floors.scale),
        sides: sides.prediction[k])
    }
    return ItemBands(
      value: value, gradient: gradient,
      isDecided: sides.value.isDecided && sides.prediction.allSatisfy(\.isDecided))
  }

  /// - Parameters:
  ///   - floor: what the half-width is at least: at first, and against the gradient's terms.
  ///   - vacuous: the sizes that a band must be narrow against, likewise.
  private func whole(
    _ truth: Interval<DoubleDouble>, _ naive: Interval<Narrow>, _ loose: Interval<Narrow>,
    floor: (first: Double, last: Double), vacuous: (first: Double, last: Double),
    sides: Interval<DoubleDouble>?
  ) -> ItemBands.Whole? {
    let middle = truth.midpoint.hi
    if middle.isNaN { return nil }
    if truth.isPoint, middle.isInfinite {
      return .init(truth: middle, tight: middle...middle, accurate: middle...middle)
    }
    func accurate(
      _ rounded: Interval<Narrow>, _ sides: Interval<DoubleDouble>?
    ) -> (band: Band, range: ClosedRange<Double>, isOpen: Bool)? {
      guard
        let (band, isOpen) = band(
          truth, rounded, floor: floor.first, vacuous: vacuous.first, sides: sides),
        let (wide, isWideOpen) = self.band(
          truth, rounded, floor: floor.last, vacuous: vacuous.last, sides: sides)
      else { return nil }
      // A band that is open at first is not read again.
      if isOpen { return (band, band.tight, true) }
      return (
        band, isWideOpen ? band.accurate : hull(band.accurate, wide.accurate), isWideOpen
      )
    }
    guard let strict = accurate(naive, sides), !strict.isOpen else { return nil }
    // What only another order explains is not outside, even where that order leaves nothing known.
    let range = hull(strict.range, accurate(loose, sides)?.range ?? strict.range)
    let smooth = hull(
      accurate(naive, nil)?.range ?? range, accurate(loose, nil)?.range ?? strict.band.tight)
    let isSettled =
      sides.map { $0.isDecided || ($0.lower.hi.isFinite && $0.upper.hi.isFinite) } ?? true
    return .init(
      truth: middle, tight: strict.band.tight, accurate: range, isKink: range != smooth,
      isSettled: isSettled)
  }

  private func hull(_ a: ClosedRange<Double>, _ b: ClosedRange<Double>) -> ClosedRange<Double> {
    Swift.min(a.lowerBound, b.lowerBound)...Swift.max(a.upperBound, b.upperBound)
  }
}
