/// The squared error of a probability given by its logit, (σ(x) − t)²: a part of `YOLOv3Squared`.
struct ProbabilitySquares: ElementLoss {
  static let name = "probability_squares"
  static let targetGradient = TargetGradient.none
  static let laws: [Law<Self>] = [.nonNegative]

  func reference<S: Scalar>(_ x: S, _ t: S) -> S { .square(.sigmoid(x) - t) }

  @inline(always)
  func optimized<V: Lanes>(_ x: V, _ t: V) -> (loss: V, gradient: V) {
    let (difference, slope) = probabilityDifference(x, t)
    return (difference * difference, (difference + difference) * slope)
  }

  static var strata: [String] { logitStrata }

  func sample(_ stratum: String, using random: inout SplitMix) -> Item {
    Self.logits(stratum, using: &random)
  }
}

extension YOLOv3Squared {
  /// The terms of a batch, and what they are made of.
  public struct Report: Sendable, Equatable, CustomStringConvertible {
    public let names: [String]
    /// The terms as the objective has them.
    public let terms: [Double]
    /// Each term, before its division by the number of images, over the number of positives; 0
    /// without any.
    public let means: [Double]
    public let positives, leftOut, background: Int
    /// The mean IoU of the positives' boxes with their truths; 0 without any.
    public let meanOverlap: Double

    public var description: String {
      let width = names.map(\.count).max() ?? 0
      let rows = zip(names, zip(terms, means)).map { name, pair in
        let padding = String(repeating: " ", count: width - name.count)
        return "\(name)\(padding)  \(pair.0), mean over positives \(pair.1)"
      }
      let counts =
        "\(positives) positives of mean IoU \(meanOverlap), \(leftOut) left out, "
        + "\(background) background"
      return (rows + [counts]).joined(separator: "\n")
    }
  }

  /// The terms of a batch with their means over its positives.
  public func report(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) -> Report {
    try check(heads, truths)
    let labels = decide(heads, truths)
    let values: [Double] = reference(heads, truths, labels)
    let positives = labels.map(\.positives.count).reduce(0, +)
    let background = labels.map(\.background.count).reduce(0, +)
    let slots = labels.map(\.owner.count).reduce(0, +)
    var overlaps = 0.0
    for (head, labels) in zip(gridHeads(heads), labels) {
      for positive in labels.positives {
        overlaps += head.overlap(
          positive.slot, target(positive, truths, head.grid, head.level))
      }
    }
    let count = Double(Swift.max(1, positives))
    let images = Double(Swift.max(1, truths.count))
    return Report(
      names: terms, terms: values, means: values.map { $0 * images / count },
      positives: positives, leftOut: slots - positives - background, background: background,
      meanOverlap: overlaps / count)
  }
}

extension ObjectiveLaw<YOLOv3Squared> {
  /// A difference of probabilities is at most 1.
  static var boundedTerms: Self {
    Self("xy, object, noObject and class ≤ the sums of their weights") {
      objective, scene, answers in
      var most = [0.0, 0, 0, 0]
      let labels = objective.decide(scene.heads, scene.truths)
      for (l, head) in objective.gridHeads(scene.heads).enumerated() {
        let divisor = objective.divisor(head.grid)
        for positive in labels[l].positives {
          let target = objective.target(positive, scene.truths, head.grid, head.level)
          most[0] += 2 * objective.coordinateScale * target.scale / divisor
          most[1] += objective.objectScale / divisor
          most[3] += objective.classScale * Double(head.grid.classes) / divisor
        }
        most[2] += objective.noObjectScale * Double(labels[l].background.count) / divisor
      }
      let terms = try answers.terms(objective, scene)
      for (term, bound) in zip([terms[0], terms[2], terms[3], terms[4]], most) {
        // The sums of the weights are rounded.
        let verdict = Verdict.atLeast(Interval(bound * (1 + 0x1p-40)), term)
        guard case .holds = verdict else { return verdict }
      }
      return .holds
    }
  }
}
