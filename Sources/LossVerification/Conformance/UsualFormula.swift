import LossDefinitions

/// A loss that the field computes by a formula which loses digits that the chapter's keeps.
///
/// Such a program is not wrong: `sigmoid(x) - t` is how everyone writes the gradient of the binary
/// cross-entropy, and where σ(x) is close to t it is off by an ulp of 1 like any difference. What the
/// usual formulas may lose widens the band; what they do not explain is still outside. Functions are
/// those of `DoubleDouble`, so that bands are the same on every machine.
protocol UsualFormula: Loss {
  /// What the value and each component of the gradient may be off by, where half an ulp of 1 is `u`.
  func usualError(at item: Item, _ u: Double) -> (value: Double, gradient: Double)
}

extension Loss {
  /// The same for every loss: nothing for those that have no such formula.
  func errorOfUsualFormula(at item: Item, _ u: Double) -> (value: Double, gradient: Double) {
    guard let loss = self as? any UsualFormula else { return (0, 0) }
    let error = loss.usualError(at: item, 2 * u)
    return (error.value.isFinite ? error.value : 0, error.gradient.isFinite ? error.gradient : 0)
  }
}

// MARK: - Cross-entropies

// The value is max(x, 0) − x t + ln(1 + e^−|x|), or (1 − t) x − ln σ(x): sums of numbers of the size of
// x. The slope is σ(x) − t.
extension BinaryCrossEntropy: UsualFormula {
  func usualError(at item: Item, _ u: Double) -> (value: Double, gradient: Double) {
    let (x, t) = (item.prediction[0], item.target[0])
    let weight = Swift.max(1, positiveWeight)
    let smoothed = t * (1 - labelSmoothing) + labelSmoothing / 2
    let p = DoubleDouble.sigmoid(DoubleDouble(x)).hi
    return (u * weight * x.magnitude, u * weight * Swift.max(p, smoothed))
  }
}

// 1 − p' is a difference from 1, and the cross-entropy c is as above: in (1 − p')^γ c, and in the slope's
// γ (1 − p')^(γ−1) p (1 − p) c and (1 − p')^γ (σ(x) − t), each is replaced by what it may have become.
extension Focal: UsualFormula {
  func usualError(at item: Item, _ u: Double) -> (value: Double, gradient: Double) {
    // The differences below have no digits in Double where u is Double's own.
    typealias D = DoubleDouble
    let (x, t) = (D(item.prediction[0]), D(item.target[0]))
    let p = D.sigmoid(x)
    let miss = p * (1 - t) + D.sigmoid(-x) * t
    let entropy = t * D.softplus(-x) + (1 - t) * D.softplus(x)
    let weight = alpha < 0 ? 1 : D(alpha) * t + (1 - D(alpha)) * (1 - t)
    func parts(_ u: D) -> (value: D, slope: D) {
      let c = entropy + u * (D.abs(x) + 1)
      let power = D.pow(miss + u, D(gamma))
      // Below γ = 1 the power grows towards 0, and what a program makes of that is its own affair.
      let root = D.pow(gamma < 1 ? miss : miss + u, D(gamma - 1))
      let spread = (p + u) * (D.sigmoid(-x) + u)
      return (power * c, D(gamma) * root * spread * c + power * (D.abs(p - t) + u))
    }
    let (usual, exact) = (parts(D(u)), parts(0))
    return (
      (weight * (usual.value - exact.value)).hi, (weight * (usual.slope - exact.slope)).hi
    )
  }
}

// ln Σ e^x − x_t and softmax(x) − t.
private func logSumError(_ item: Item, _ weights: [Double]?, _ u: Double) -> (Double, Double) {
  let largest = item.prediction.reduce(0) { $1.isFinite ? Swift.max($0, $1.magnitude) : $0 }
  let weight = weights?.max() ?? 1
  return (u * weight * largest, u * weight)
}

extension SparseSoftmaxCrossEntropy: UsualFormula {
  func usualError(at item: Item, _ u: Double) -> (value: Double, gradient: Double) {
    logSumError(item, classWeights, u)
  }
}

extension SoftmaxCrossEntropy: UsualFormula {
  func usualError(at item: Item, _ u: Double) -> (value: Double, gradient: Double) {
    let (value, gradient) = logSumError(item, classWeights, u)
    let mass = Swift.max(1, item.target.reduce(0) { $0 + $1.magnitude })
    return (value * mass, gradient * mass)
  }
}

extension DistributionFocal: UsualFormula {
  func usualError(at item: Item, _ u: Double) -> (value: Double, gradient: Double) {
    logSumError(item, nil, u)
  }
}

// MARK: - Differences

// |d| + ln(1 + e^−2|d|) − ln 2; the slope from two powers of which the one is subtracted.
extension LogCosh: UsualFormula {
  func usualError(at item: Item, _ u: Double) -> (value: Double, gradient: Double) {
    (u * ((item.prediction[0] - item.target[0]).magnitude + 0.6931471805599453), u)
  }
}

// √(d² + μ²) − μ, as the paper writes it.
extension GHMR: UsualFormula {
  func usualError(at item: Item, _ u: Double) -> (value: Double, gradient: Double) {
    let d = item.prediction[0] - item.target[0]
    return (u * Double.sqrt(d * d + mu * mu), 0)
  }
}

// α/b (b d + 1) ln(b d + 1) − α d, with ln(1 + …) for log1p.
extension BalancedL1: UsualFormula {
  func usualError(at item: Item, _ u: Double) -> (value: Double, gradient: Double) {
    let d = (item.prediction[0] - item.target[0]).magnitude
    let b = DoubleDouble.expm1(DoubleDouble(gamma / alpha)).hi
    let inner = b * Swift.min(d / (form == .smooth ? beta : 1), 1) + 1
    let logarithm = DoubleDouble.log(DoubleDouble(inner)).hi
    return (u * (alpha / b * inner * (1 + logarithm) + alpha * d), u * alpha)
  }
}

// δ + (d − δ) beyond δ, of a minimum and what exceeds it.
extension Huber: UsualFormula {
  func usualError(at item: Item, _ u: Double) -> (value: Double, gradient: Double) {
    (0, u * delta)
  }
}

// 1 − e^−z.
extension OKS: UsualFormula {
  func usualError(at item: Item, _ u: Double) -> (value: Double, gradient: Double) { (u, 0) }
}

// MARK: - Boxes

// Reverse differentiation sums the slopes of the four products that J is made of in any order: each is a
// side of the enclosing box over the union, or J's own terms over its square.
extension ExtendedIoU: UsualFormula {
  func usualError(at item: Item, _ u: Double) -> (value: Double, gradient: Double) {
    let (p, t) = (Box(item.prediction), Box(item.target))
    let all = p.enclosing(t)
    let union = p.width * p.height + t.width * t.height - p.intersection(t)
    guard union > 0 else { return (0, 0) }
    let side = Swift.max(all.width, all.height)
    let own = Swift.max(p.width, p.height)
    return (0, u * (side / union + all.width * all.height / union * own / union))
  }
}
