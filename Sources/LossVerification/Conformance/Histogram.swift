/// Signed distances from the truth, counted in bins of half an octave.
///
/// Below 2⁻⁸ and above 2²⁴ a distance goes to the last bin on its side.
public struct Histogram: Sendable, Equatable {
  /// Bins a side; bin k starts at 2^(k/2 - 8).
  static let bins = 64
  private static let least = -8

  /// Distances of zero.
  public private(set) var exact = 0
  /// Distances without a measure: of a NaN, or from a band without a width.
  public private(set) var unmeasured = 0
  private var below = [Int](repeating: 0, count: Self.bins)
  private var above = [Int](repeating: 0, count: Self.bins)

  public init() {}

  mutating func add(_ distance: Double, isBelow: Bool) {
    guard distance.isFinite else {
      unmeasured += 1
      return
    }
    guard distance > 0 else {
      exact += 1
      return
    }
    let half = distance.significand >= 2.0.squareRoot() ? 1 : 0
    let bin = Swift.min(
      Swift.max(2 * (Int(distance.exponent) - Self.least) + half, 0), Self.bins - 1)
    if isBelow { below[bin] += 1 } else { above[bin] += 1 }
  }

  static func += (sum: inout Histogram, other: Histogram) {
    sum.exact += other.exact
    sum.unmeasured += other.unmeasured
    for k in 0..<bins {
      sum.below[k] += other.below[k]
      sum.above[k] += other.above[k]
    }
  }

  public var count: Int {
    exact + unmeasured + below.reduce(0, +) + above.reduce(0, +)
  }

  /// Where bin k of either side starts; k may be the number of bins.
  static func edge(_ k: Int) -> Double {
    let whole = Double(sign: .plus, exponent: k >> 1 + least, significand: 1)
    return k & 1 == 0 ? whole : whole * 2.0.squareRoot()
  }

  /// The counts of either side, by bin.
  var sides: (below: [Int], above: [Int]) { (below, above) }

  var json: JSON {
    func list(_ counts: [Int]) -> JSON {
      .list(
        counts.indices.filter { counts[$0] > 0 }.map { k in
          .list([
            .number(Self.edge(k)), .number(Self.edge(k + 1)), .number(Double(counts[k])),
          ])
        })
    }
    return .object([
      "exact": .number(Double(exact)), "unmeasured": .number(Double(unmeasured)),
      "below": list(below), "above": list(above),
    ])
  }
}

/// How far the numbers of some items are from the truth.
public struct Distances: Sendable, Equatable {
  /// In half-widths of each number's band.
  public private(set) var halfWidths = Histogram()
  /// In ulps of the truth, or of the largest component of a gradient.
  public private(set) var ulps = Histogram()

  public init() {}

  mutating func add(_ reading: Reading) {
    // Between the sides of a kink there is no one truth to be distant from.
    guard reading.placement != .open, reading.band?.sides == nil else { return }
    halfWidths.add(reading.halfWidths, isBelow: reading.isBelow)
    ulps.add(reading.ulps, isBelow: reading.isBelow)
  }

  static func += (sum: inout Distances, other: Distances) {
    sum.halfWidths += other.halfWidths
    sum.ulps += other.ulps
  }

  var json: JSON { .object(["halfWidths": halfWidths.json, "ulps": ulps.json]) }
}
