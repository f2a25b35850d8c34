import LossDefinitions

/// A formula of one number and its target, with something wrong.
private struct ElementFormula: MutatedFormula {
  enum Kind {
    case huberQuadraticWithoutHalf, huberLinearWithoutOffset, huberBranchAtHalf, huberBranchAtTwice
    case huberWithoutSlope
    case rooted, halved, squared, absolute
    case naiveLogCosh
    case clampedSigmoid(Double), targetSwapped, naiveSoftplus
    case alphaSwapped, modulationHeld, modulationOfHit, focalOfClampedSigmoid(Double)
    case epsilonInLogarithms(Double), noFloor
  }

  let kind: Kind

  func value<S: Scalar>(_ x: [S], _ t: [S]) -> S { value(x[0], t[0]) }

  private func value<S: Scalar>(_ x: S, _ t: S) -> S {
    let d = S.abs(x - t)
    func huber(_ limit: S, _ half: S, _ offset: S) -> S {
      .select(limit .< d, d - offset, half * d * d)
    }
    switch kind {
    case .huberQuadraticWithoutHalf: return huber(1, 1, 0.5)
    case .huberLinearWithoutOffset: return huber(1, 0.5, 0)
    case .huberBranchAtHalf: return huber(0.5, 0.5, 0.5)
    case .huberBranchAtTwice: return huber(2, 0.5, 0.5)
    case .huberWithoutSlope: return .select(1 .< d, (d - 0.5).detached, 0.5 * d * d)
    case .rooted: return .select(0 .< d, .sqrt(d), 0)
    case .halved: return 0.5 * d * d
    case .squared: return d * d
    case .absolute: return d
    case .naiveLogCosh: return .log((.exp(x - t) + .exp(t - x)) * 0.5)
    case .clampedSigmoid(let epsilon):
      let p = S.clamp(1 / (1 + .exp(-x)), S(epsilon), 1 - S(epsilon))
      return -(t * .log(p) + (1 - t) * .log(1 - p))
    case .targetSwapped: return .weighted(1 - t, .softplus(-x)) + .weighted(t, .softplus(x))
    case .naiveSoftplus: return t * .log(1 + .exp(-x)) + (1 - t) * .log(1 + .exp(x))
    case .alphaSwapped: return focal(x, t, alpha: 0.75)
    case .modulationHeld: return focal(x, t, alpha: 0.25) { $0.detached }
    case .modulationOfHit: return focal(x, t, alpha: 0.25, ofHit: true)
    case .focalOfClampedSigmoid(let epsilon):
      let p = S.clamp(1 / (1 + .exp(-x)), S(epsilon), 1 - S(epsilon))
      let miss = p * (1 - t) + (1 - p) * t
      let weight = 0.25 * t + 0.75 * (1 - t)
      return weight * miss * miss * -(t * .log(p) + (1 - t) * .log(1 - p))
    case .epsilonInLogarithms(let epsilon):
      return -(t * .log(x + S(epsilon)) + (1 - t) * .log(1 - x + S(epsilon)))
    case .noFloor: return .weighted(t, -.log(x)) + .weighted(1 - t, -.log(1 - x))
    }
  }

  private func focal<S: Scalar>(
    _ x: S, _ t: S, alpha: S, ofHit: Bool = false, _ change: (S) -> S = { $0 }
  ) -> S {
    let p = S.sigmoid(x)
    let miss = p * (1 - t) + .sigmoid(-x) * t
    let factor = ofHit ? 1 - miss : miss
    let weight = alpha * t + (1 - alpha) * (1 - t)
    let entropy = S.weighted(t, .softplus(-x)) + .weighted(1 - t, .softplus(x))
    return weight * change(factor * factor) * entropy
  }
}

extension Mutant {
  /// The mutants of a loss's own formula.
  static func formulas(of loss: String) -> [Mutant] {
    if let base = BoxFormula.Base(rawValue: loss) { return BoxFormula.mutants(base) }
    func element(_ name: String, _ sentence: String, _ kind: ElementFormula.Kind) -> Mutant {
      Mutant(name, sentence, ElementFormula(kind: kind))
    }
    let branches = [
      element("no 1/2", "The quadratic part has no 1/2.", .huberQuadraticWithoutHalf),
      element("no offset", "The linear part has no offset.", .huberLinearWithoutOffset),
      element("branch at half", "The linear part begins at 1/2.", .huberBranchAtHalf),
      element("branch at twice", "The linear part begins at 2.", .huberBranchAtTwice),
      element("no slope outside", "The linear part has no gradient.", .huberWithoutSlope),
    ]
    let swapped = element(
      "classes swapped", "The target counts for the other class.", .targetSwapped)
    switch loss {
    case "huber", "smooth_l1": return branches
    case "l1":
      return [
        element("square", "The square of the difference.", .squared),
        element("root", "The root of the difference.", .rooted),
      ]
    case "mse":
      return [
        element("with 1/2", "Half the square of the difference.", .halved),
        element("absolute", "The difference is not squared.", .absolute),
      ]
    case "log_cosh":
      return [
        element("naive", "The logarithm of the cosine itself, which overflows.", .naiveLogCosh),
        element("square", "Half the square, which it begins like.", .halved),
      ]
    case "bce":
      return [
        element("naive", "log(1 + exp(x)), which overflows.", .naiveSoftplus), swapped,
      ]
        + [1e-12, 1e-7].map {
          element(
            "clamped sigmoid \($0)", "The logarithm of the sigmoid, kept \($0) from 0 and 1.",
            .clampedSigmoid($0))
        }
    case "bce_probabilities":
      return [element("no floor", "The logarithms have no floor.", .noFloor)]
        + [1e-12, 1e-8].map {
          element(
            "epsilon \($0)", "\($0) is added inside the logarithms.", .epsilonInLogarithms($0))
        }
    case "focal":
      return [
        element("alpha swapped", "The negatives have the weight of the positives.", .alphaSwapped),
        element("modulation held", "The modulating factor is held constant.", .modulationHeld),
        element(
          "modulation of the hit", "The modulating factor falls as the error rises.",
          .modulationOfHit),
      ]
        + [1e-12, 1e-7].map {
          element(
            "clamped sigmoid \($0)", "The logarithm of the sigmoid, kept \($0) from 0 and 1.",
            .focalOfClampedSigmoid($0))
        }
    case "focal_star": return [swapped]
    default: return rowFormulas(of: loss)
    }
  }
}
