import LossDefinitions

/// Between what a program's number has to lie.
///
/// `tight` is the hull of the naive reference, evaluated over intervals that round outward in the
/// program's format, and of the truth: what any program gets that carries out the reference's
/// operations, or fuses some of them. `accurate` is the truth with four of its half-widths on either
/// side, which leaves room for another order of the operations; it decides.
///
/// Proven is this much: the hull holds every result of the reference's own operations, each rounded to
/// either neighbour, with functions of at most 4 ulp of error, sums in any order, and `sigmoid`,
/// `softplus` and `logSumExp` by their plain formulas. That a rearranged formula stays within four
/// half-widths is measured, not proven.
public struct Band: Sendable {
  /// The certified bounds of the exact result.
  public var truth: Interval<DoubleDouble>
  public var tight: ClosedRange<Double>
  public var halfWidth: Double
  /// Between the one-sided derivatives at a kink; nil elsewhere.
  public var sides: ClosedRange<Double>?

  /// Half-widths on either side that are accurate.
  public static let reach = 4.0

  /// The accurate band.
  public var accurate: ClosedRange<Double> {
    let middle = truth.midpoint.hi
    let lower = Swift.min(tight.lowerBound, middle - Self.reach * halfWidth)
    let upper = Swift.max(tight.upperBound, middle + Self.reach * halfWidth)
    guard let sides else { return lower...upper }
    return Swift.min(
      lower, sides.lowerBound - Self.reach * halfWidth)...Swift.max(
        upper, sides.upperBound + Self.reach * halfWidth)
  }
}

/// Where a number lies.
public enum Placement: String, Sendable, Codable {
  case tight, accurate
  /// The band says nothing: it is unbounded, or too wide, or the truth is not known well enough.
  case open
  case outside

  var isPassed: Bool { self == .tight || self == .accurate }
}

/// One number of an answer, held against its band.
public struct Reading: Sendable {
  public var placement: Placement
  public var got: Double
  /// Nil where nothing is known, or where the naive reference's hull alone decided.
  public var band: Band?
  /// Whether it is less than the truth.
  public var isBelow: Bool
  /// The distance to the truth, in half-widths of the band; infinite for a NaN.
  public var halfWidths: Double
  /// The same in ulps of the truth, or of the largest component of a gradient.
  public var ulps: Double
}

/// An answer to one item, held against its bands.
public struct Judgement: Sendable {
  public var value: Reading
  /// Empty where the program gave no gradient.
  public var gradient: [Reading]
  /// Whether a component was held against both one-sided derivatives.
  public var isKink = false

  var readings: [Reading] { [value] + gradient }

  /// The worst of all numbers.
  public var placement: Placement {
    let all = readings.map(\.placement)
    if all.contains(.outside) { return .outside }
    if all.contains(.open) { return .open }
    return all.contains(.accurate) ? .accurate : .tight
  }
}
