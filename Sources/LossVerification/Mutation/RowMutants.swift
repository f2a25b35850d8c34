import LossDefinitions

/// A formula of a row, with something wrong.
private struct RowFormula: MutatedFormula {
  enum Kind {
    /// Dice, soft IoU: a ratio of sums, with terms above and below.
    case dice(factor: Double, above: Double, below: Double, isSquared: Bool)
    case softIoU(above: Double, below: Double, countsTwice: Bool)
    /// Softmax cross entropy of masses or of an index.
    case naiveSoftmax(isIndex: Bool), softmaxOverClasses(isIndex: Bool), nextClass
    case clampedSoftmax(Double, isIndex: Bool), normalizerHeld(isIndex: Bool)
    case clippedLogarithms(Double), totalHeld, withoutTotal
    case binsSwapped, nearestBin
  }

  let kind: Kind

  func value<S: Scalar>(_ x: [S], _ t: [S]) -> S {
    switch kind {
    case .dice(let factor, let above, let below, let isSquared):
      let shared = S.sum(zip(x, t).map { $0 * $1 })
      let sizes = S.sum((x + t).map { isSquared ? $0 * $0 : $0 })
      return 1 - (S(factor) * shared + S(above)) / (sizes + S(below))
    case .softIoU(let above, let below, let countsTwice):
      let shared = S.sum(zip(x, t).map { $0 * $1 })
      let union = S.sum(zip(x, t).map { $0 + $1 }) - (countsTwice ? 0 : shared)
      return 1 - (shared + S(above)) / (union + S(below))
    case .naiveSoftmax(let isIndex):
      let total = S.log(.sum(x.map { .exp($0) }))
      return crossed(masses(x, t, isIndex), x.map { total - $0 })
    case .softmaxOverClasses(let isIndex):
      return crossed(masses(x, t, isIndex), costs(x)) / S(Double(x.count))
    case .nextClass:
      let next = (Int(t[0].primal) + 1) % x.count
      return costs(x)[next]
    case .clampedSoftmax(let epsilon, let isIndex):
      return crossed(
        masses(x, t, isIndex),
        costs(x).map { -S.log(.clamp(.exp(-$0), S(epsilon), 1)) })
    case .normalizerHeld(let isIndex):
      let total = S.logSumExp(x).detached
      return crossed(masses(x, t, isIndex), x.map { total - $0 })
    case .clippedLogarithms(let epsilon): return fromProbabilities(x, t, S.sum(x), S(epsilon))
    case .totalHeld: return fromProbabilities(x, t, S.sum(x).detached, 1e-7)
    case .withoutTotal: return fromProbabilities(x, t, 1, 1e-7)
    case .binsSwapped, .nearestBin:
      let (y, costs) = (t[0], costs(x))
      let i = Swift.min(Int(y.primal), x.count - 1)
      guard i + 1 < x.count else { return costs[i] }
      let right = y - S(Double(i))
      if case .nearestBin = kind { return right.primal < 0.5 ? costs[i] : costs[i + 1] }
      return right * costs[i] + (1 - right) * costs[i + 1]
    }
  }

  private func masses<S: Scalar>(_ x: [S], _ t: [S], _ isIndex: Bool) -> [S] {
    guard isIndex else { return t }
    let index = Int(t[0].primal)
    return x.indices.map { $0 == index ? 1 : 0 }
  }

  private func costs<S: Scalar>(_ x: [S]) -> [S] {
    let total = S.logSumExp(x)
    return x.map { total - $0 }
  }

  private func crossed<S: Scalar>(_ masses: [S], _ costs: [S]) -> S {
    .sum(zip(masses, costs).map { .weighted($0, $1) })
  }

  private func fromProbabilities<S: Scalar>(_ x: [S], _ t: [S], _ total: S, _ epsilon: S) -> S {
    .sum(zip(x, t).map { -$1 * .log(.clamp($0 / total, epsilon, 1 - epsilon)) })
  }
}

extension Mutant {
  static func rowFormulas(of loss: String) -> [Mutant] {
    func row(_ name: String, _ sentence: String, _ kind: RowFormula.Kind) -> Mutant {
      Mutant(name, sentence, RowFormula(kind: kind))
    }
    func dice(
      _ name: String, _ sentence: String, factor: Double = 2, above: Double = 1,
      below: Double = 1, isSquared: Bool = false
    ) -> Mutant {
      row(
        name, sentence,
        .dice(factor: factor, above: above, below: below, isSquared: isSquared))
    }
    func softmax(_ isIndex: Bool) -> [Mutant] {
      [
        row("no shift", "Exponentials of the logits themselves.", .naiveSoftmax(isIndex: isIndex)),
        row(
          "mean over classes", "The row's loss is divided by its classes.",
          .softmaxOverClasses(isIndex: isIndex)),
        row(
          "clamped probability", "Probabilities are at least 1e-7.",
          .clampedSoftmax(1e-7, isIndex: isIndex)),
        row(
          "normalizer held", "The softmax's denominator is held constant.",
          .normalizerHeld(isIndex: isIndex)),
      ]
    }
    switch loss {
    case "dice":
      return [
        dice("no smoothing", "Nothing is added to the sums.", above: 0, below: 0),
        dice("smoothing above alone", "The smoothing is not added below.", below: 0),
        dice("smoothing below alone", "The smoothing is not added above.", above: 0),
        dice("no factor 2", "What is shared counts once.", factor: 1),
        dice("squares", "The sizes are sums of squares.", isSquared: true),
      ]
    case "soft_iou":
      return [
        row(
          "smoothing of 1", "1 is added above and below.",
          .softIoU(above: 1, below: 1, countsTwice: false)),
        row(
          "epsilon 1e-6 below", "1e-6 is added below alone.",
          .softIoU(above: 0, below: 1e-6, countsTwice: false)),
        row(
          "union counts twice", "The union is the sum of the sizes.",
          .softIoU(above: 0, below: 0, countsTwice: true)),
      ]
    case "cross_entropy": return softmax(false)
    case "sparse_cross_entropy":
      return softmax(true)
        + [row("next class", "Classes are counted from 1.", .nextClass)]
    case "cross_entropy_probabilities":
      return [
        row("clip at 1e-3", "Probabilities keep 1e-3 from 0 and 1.", .clippedLogarithms(1e-3)),
        row("total held", "The sum that divides is held constant.", .totalHeld),
        row("no total", "The row is taken to sum to 1.", .withoutTotal),
      ]
    case "dfl":
      return [
        row("bins swapped", "Each bin has the other's weight.", .binsSwapped),
        row("nearest bin", "The nearer bin has all the weight.", .nearestBin),
      ]
    default: return []
    }
  }
}
