/// Cross-entropy of class probabilities that are normalised and clipped first.
///
///     pⱼ = xⱼ / Σᵢ xᵢ    qⱼ = min(max(pⱼ, ε), 1 − ε)
///     L = −Σⱼ (tⱼ (1 − s) + s / C) ln qⱼ
///
/// x: C numbers ≥ 0, not all of them zero; t: C masses ≥ 0; ε: `epsilon`; s: the label smoothing. Where a
/// probability is clipped it has no slope.
///
/// Source: Keras `categorical_crossentropy`, 2015.
/// Chapter: Spec/Classes/CrossEntropyFromProbabilities.md.
public struct CrossEntropyFromProbabilities: ClassLoss {
  public static let name = "cross_entropy_probabilities"
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("epsilon", \.epsilon, in: 0x1p-40...0.25, grid: [1e-7, 1e-3]),
    Hyperparameter("labelSmoothing", \.labelSmoothing, in: 0...1, grid: [0, 0.1]),
  ]

  public var epsilon = 1e-7
  public var labelSmoothing = 0.0

  public init() {}

  // MARK: Reference

  public func reference<S: Scalar>(_ x: [S], _ t: [S]) -> S {
    let total = S.sum(x)
    let epsilon = S(epsilon)
    return S.sum(
      zip(masses(t), x).map { a, x in
        -a * S.log(S.clamp(x / total, epsilon, 1 - epsilon))
      })
  }

  func masses<S: Scalar>(_ t: [S]) -> [S] {
    let s = S(labelSmoothing)
    return t.map { $0 * (1 - s) + s / S(Double(t.count)) }
  }

  // MARK: Optimized

  /// The likeliest class k alone can have p > 1/2: its 1 − p is T / Σ, with T the sum of the others.
  @inline(always)
  public func optimized<V: Lanes>(_ rows: ClassRows<V>) -> V {
    let epsilon = V(self.epsilon)
    let keep = V(1 - labelSmoothing)
    let share = V(labelSmoothing / Double(rows.classes))
    let (largest, top) = rows.largest()
    var (others, othersLow) = (V.zero, V.zero)
    var number = V.zero
    for j in 0..<rows.classes {
      let other = V.select(number .== top, V.zero, rows.prediction[j])
      (others, othersLow) = V.accumulate(other, others, othersLow)
      number = number + V.one
    }
    others = others + othersLow
    let inverse = V.one / (largest + others)
    let rest = others * inverse
    let likeliest = largest * inverse
    let topLog = V.select(
      V(0.5) .< likeliest, V.log1p(-V.max(rest, epsilon)), V.log(V.max(likeliest, epsilon)))

    var (loss, lossLow) = (V.zero, V.zero)
    var (inside, insideLow) = (V.zero, V.zero)
    number = V.zero
    for j in 0..<rows.classes {
      let isTop = number .== top
      let p = rows.prediction[j] * inverse
      let a = rows.target[j] * keep + share
      let log = V.select(isTop, topLog, V.log(V.max(p, epsilon)))
      (loss, lossLow) = V.accumulate(-(a * log), loss, lossLow)
      // A slope of ln q: dq/dp is 1 inside the limits, those included, and else 0.
      let isInside = (epsilon .<= p) & ((epsilon .<= rest) | !isTop)
      let mass = V.select(isInside, a, V.zero)
      (inside, insideLow) = V.accumulate(mass, inside, insideLow)
      rows.scratch[j] = mass
      number = number + V.one
    }
    let common = (inside + insideLow) * inverse
    for j in 0..<rows.classes {
      let mass = rows.scratch[j]
      let own = V.select(mass .== V.zero, V.zero, mass / rows.prediction[j])
      rows.prediction[j] = common - own
    }
    return loss + lossLow
  }

  public func gradientTerms<S: Scalar>(_ x: [S], _ t: [S]) -> [S] {
    let total = S.sum(x)
    let epsilon = S(epsilon)
    let inside = zip(masses(t), x).map { a, x in
      S.select(x / total .< epsilon, 0, S.select(1 - epsilon .< x / total, 0, a))
    }
    let common = S.sum(inside) / total
    return zip(inside, x).map { common + S.quotient($0, $1) }
  }

  public static var strata: [String] {
    ["unit", "normalised", "wide", "uniform", "one", "two", "certain", "limits", "empty", "many"]
  }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    var count = random.integer(3...12)
    switch stratum {
    case "one": count = 1
    case "two": count = 2
    case "many": count = random.chance(0.01) ? 1000 : random.pick([80, 80, 91, 33])
    default: break
    }
    let y = random.integer(0...count - 1)
    var x = (0..<count).map { _ in random.uniform(0.01, 1) }
    switch stratum {
    case "wide": x = x.map { _ in random.logarithmic(1e-12, 10) }
    case "uniform": x = x.map { _ in 0.25 }
    case "certain": x = x.indices.map { $0 == y ? x[$0] : random.logarithmic(1e-9, 1e-1) }
    case "limits":
      // About the clip, from either side, but not so near that its rounding decides.
      x = x.indices.map {
        $0 == y ? 1 : epsilon * (1 + random.sign() * random.logarithmic(1e-3, 0.9))
      }
    case "empty": x = x.indices.map { $0 != y && random.chance(0.5) ? 0 : x[$0] }
    default: break
    }
    if ["normalised", "certain", "many"].contains(stratum) {
      let sum = x.reduce(0, +)
      x = x.map { $0 / sum }
    }
    return Item(x, Self.masses(count, y, using: &random))
  }
}
