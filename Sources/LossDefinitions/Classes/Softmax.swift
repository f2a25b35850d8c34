/// What the references of softmax losses are made of.
enum Softmax {
  /// −ln pⱼ of every class, as ln Σ e^(xᵢ−m) + (m − xⱼ), with m the largest logit.
  ///
  /// The largest logit is a choice: any other gives the same function, with other roundings.
  static func negativeLogProbabilities<S: Scalar>(_ x: [S]) -> [S] {
    var top = 0
    for j in x.indices where x[top].primal < x[j].primal { top = j }
    // The top's own difference is 0, or NaN if it is not finite; as a constant it has no slope.
    let differences = x.indices.map { $0 == top ? x[top].detached * 0 : x[$0] - x[top] }
    let logNormalizer = S.logSumExp(differences)
    return differences.map { logNormalizer - $0 }
  }

  /// Σ aⱼ (−ln pⱼ), where a class of no mass counts nothing even if its p is zero.
  static func crossEntropy<S: Scalar>(_ mass: [S], _ x: [S]) -> S {
    S.sum(zip(mass, negativeLogProbabilities(x)).map { S.weighted($0, $1) })
  }

  /// A pⱼ + |aⱼ|: each component of the gradient, A pⱼ − aⱼ, is a difference of these two.
  static func gradientTerms<S: Scalar>(_ mass: [S], _ x: [S]) -> [S] {
    let total = S.sum(mass.map { S.abs($0) })
    return zip(mass, negativeLogProbabilities(x)).map { a, l in total * S.exp(-l) + S.abs(a) }
  }
}

extension ClassRows {
  /// The cross entropy L = Σ aⱼ (−ln pⱼ) of the softmax p of the predictions, at masses aⱼ ≥ 0, and
  /// its gradient A pⱼ − aⱼ, A = Σ aⱼ, in place of the predictions.
  ///
  /// With k the largest logit's class, dⱼ = xⱼ − x_k ≤ 0 and T the sum of e^dⱼ over the others,
  ///
  ///     L = A log1p(T) + Σ aⱼ (−dⱼ)
  ///
  /// has no negative term, and is as accurate as its parts also where it goes to zero. At class k the
  /// gradient is (B − a_k T) / (1 + T), with B the mass of the others: no 1 − p is ever formed.
  ///
  /// - Parameter fewMasses: at most two of the masses are not zero, so that their sums need no second
  ///   word.
  @inlinable @inline(always)
  func crossEntropy(fewMasses: Bool, mass: (Int, V) -> V) -> V {
    let (largest, top) = largest()

    // Sums of up to thousands of terms: each keeps its rounding errors in a second word.
    var (others, othersLow) = (V.zero, V.zero)
    var (gaps, gapsLow) = (V.zero, V.zero)
    var (rest, restLow) = (V.zero, V.zero)
    var topMass = V.zero
    var number = V.zero
    for j in 0..<classes {
      let (d, low) = V.twoSum(prediction[j], -largest)
      let isTop = number .== top
      // At the top d is zero, or NaN if the logit is not finite: then so is the row's result.
      let exponential = V.select(isTop, d, V.scaledExponential(d, low))
      scratch[j] = exponential
      (others, othersLow) = V.accumulate(exponential, others, othersLow)

      let a = mass(j, number)
      let gap = V.weighted(a, -d)
      let other = V.select(isTop, V.zero, a)
      if fewMasses {
        gaps = gaps + gap
        rest = rest + other
      } else {
        (gaps, gapsLow) = V.accumulate(gap, gaps, gapsLow)
        (rest, restLow) = V.accumulate(other, rest, restLow)
      }
      topMass = V.select(isTop, a, topMass)
      number = number + V.one
    }

    let t = (others + othersLow) * V(Self.unscale)
    let b = rest + restLow
    let total = topMass + b
    // The low word of an infinite sum is NaN.
    let isInfinite = gaps .== V(repeating: .infinity)
    let loss = total * V.log1p(t) + V.select(isInfinite, gaps, gaps + gapsLow)

    // 1 / Z, Z = 1 + T.
    let inverse = V.one / (V.one + t)
    let factor = total * inverse
    let topSlope = b * inverse - topMass * (others + othersLow) * inverse * V(Self.unscale)
    number = V.zero
    for j in 0..<classes {
      let p = scratch[j] * factor * V(Self.unscale)
      prediction[j] = V.select(number .== top, topSlope, p - mass(j, number))
      number = number + V.one
    }
    return loss
  }

  @inlinable static var unscale: Double { 0x1p-80 }
}

extension Lanes {
  /// 2^80 e^(high + low), for high ≤ 0 and a low part of at most half an ulp of it; 0 below what sums
  /// of such terms could still notice.
  ///
  /// The power of two keeps terms normal whose sum may be subnormal, so that it is rounded once.
  @inlinable @inline(always)
  static func scaledExponential(_ high: Self, _ low: Self) -> Self {
    let (n, r, tail) = reducedExponential(high, low)
    let (sum, rest) = quickTwoSum(one, r)
    let value = (sum + (rest + tail)) * powerOfTwo(n + Self(80))
    let isGone = high .< Self(repeating: exponentialRange.low - 11)
    return select(isGone, zero, value)
  }

  /// Adds a term to a sum and its rounding error to a second one.
  @inlinable @inline(always)
  static func accumulate(_ term: Self, _ sum: Self, _ low: Self) -> (sum: Self, low: Self) {
    let (high, error) = twoSum(sum, term)
    return (high, low + error)
  }
}
