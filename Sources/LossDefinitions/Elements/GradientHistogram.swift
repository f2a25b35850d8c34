/// How many gradients of each size a detector has met: GHM's state, a value.
///
/// A batch goes in with it, and the entries' weights and the next histogram come out:
///
///     A ← momentum · A + (1 − momentum) · count      for the bins that this batch has entries in
///     w = T / (A n)
///
/// with T the batch's sum of label weights and n the number of its non-empty bins. With momentum 0,
/// A is the batch's own count, and the weights sum to T.
///
/// As in MMDetection: a count is of entries, whatever their label weight, if that is positive; sums
/// start at 0 and are not corrected for it; a bin without entries keeps its stale sum; and the edges
/// are Floats. Entries that are not finite get weight 0 and count nowhere.
public struct GradientHistogram: Codable, Sendable, Equatable {
  public private(set) var momentum: Double
  /// A, one a bin.
  public private(set) var sums: [Double]

  public var bins: Int { sums.count }

  /// A histogram that has met nothing.
  public init(bins: Int = 10, momentum: Double = 0) throws(InvalidInput) {
    guard bins >= 1 else { throw InvalidInput("bins", given: "\(bins)", expected: "at least 1") }
    guard (0..<1).contains(momentum) else {
      throw InvalidInput("momentum", given: "\(momentum)", expected: "a number in 0..<1")
    }
    self.momentum = momentum
    sums = [Double](repeating: 0, count: bins)
  }

  /// i / bins; the last is 1000, so that a norm of 1 has a bin.
  public var edges: [Double] {
    (0..<bins).map { Double(Float($0) / Float(bins)) } + [1e3]
  }

  /// What a batch gives.
  public struct Step: Sendable, Equatable {
    /// w of each entry.
    public var weights: [Double]
    /// T.
    public var total: Double
    public var next: GradientHistogram
  }

  /// The weights of a batch's entries by the sizes of their gradients, and the histogram after it.
  public func step(norms: [Double], labelWeights: [Double]) throws(InvalidInput) -> Step {
    guard norms.count == labelWeights.count else {
      throw InvalidInput(
        "labelWeights", given: "\(labelWeights.count) numbers", expected: "\(norms.count)")
    }
    let edges = edges
    let places = zip(norms, labelWeights).map { norm, label -> Int? in
      guard norm >= 0, norm < 1e3, label > 0, label.isFinite else { return nil }
      return edges.lastIndex { $0 <= norm }
    }
    var counts = [Double](repeating: 0, count: bins)
    var total = 0.0
    for (place, label) in zip(places, labelWeights) {
      guard let place else { continue }
      counts[place] += 1
      total += label
    }
    var next = self
    for (i, count) in counts.enumerated() where count > 0 {
      next.sums[i] = momentum * sums[i] + (1 - momentum) * count
    }
    let filled = Double(counts.count { $0 > 0 })
    let numerator = Swift.max(total, 1)
    let weights = places.map { $0.map { numerator / next.sums[$0] / filled } ?? 0 }
    return Step(weights: weights, total: total, next: next)
  }
}
