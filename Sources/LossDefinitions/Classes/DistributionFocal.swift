/// Distribution focal loss: cross-entropy that shares a real target between its two nearest bins.
///
///     S = softmax(x)    i = ⌊y⌋
///     L = −((i + 1 − y) ln Sᵢ + (y − i) ln Sᵢ₊₁)
///
/// x: one logit a bin 0 ... n; y: the target in bins, 0 ≤ y ≤ n. At y = n the right bin does not exist
/// and has no share.
///
/// Source: Li et al. 2020, Generalized Focal Loss, arXiv 2006.04388.
/// Chapter: Spec/Classes/DistributionFocal.md.
public struct DistributionFocal: ClassLoss {
  public static let name = "dfl"

  public static func targetWidth(for width: Int) -> Int { 1 }

  public init() {}

  // MARK: Reference

  public func reference<S: Scalar>(_ x: [S], _ target: [S]) -> S {
    let y = target[0]
    let i = x.indices.last { Double($0) <= y.primal } ?? 0
    let l = Softmax.negativeLogProbabilities(x)
    let left = S(Double(i + 1)) - y
    let right = y - S(Double(i))
    return i + 1 < x.count ? left * l[i] + right * l[i + 1] : left * l[i]
  }

  // MARK: Optimized

  /// Bin j's mass is the hat max(0, 1 − |y − j|), so written that y − i is exact.
  @inline(always)
  public func optimized<V: Lanes>(_ rows: ClassRows<V>) -> V {
    let y = rows.target[0]
    return rows.crossEntropy(fewMasses: true) { _, j in
      V.max(V.zero, V.select(y .< j, y - (j - V.one), V.one - (y - j)))
    }
  }

  public func gradientTerms<S: Scalar>(_ x: [S], _ target: [S]) -> [S] {
    let masses = x.indices.map { S.max(0, 1 - S.abs(target[0] - S(Double($0)))) }
    return Softmax.gradientTerms(masses, x)
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    let bins = random.pick([16, 17, 17, random.integer(1...32)])
    let fixed = ["one", "two", "many"].contains(stratum) ? nil : bins
    let (x, bin) = Self.logits(stratum, classes: fixed, using: &random)
    let last = Double(x.count - 1)
    switch random.integer(0...7) {
    case 0: return Item(x, [Double(bin)])
    case 1: return Item(x, [last])
    case 2: return Item(x, [Swift.min(Double(bin) + random.logarithmic(1e-9, 1e-3), last)])
    default: return Item(x, [Swift.min(Double(bin) + random.uniform(0, 1), last)])
    }
  }
}
