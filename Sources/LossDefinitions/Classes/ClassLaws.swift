extension Law where L: ClassLoss {
  /// L(x + c, t) = L(x, t), on logits rounded to sixty-fourths, where the sums are exact.
  static var shiftInvariant: Self {
    Law("L(x + c, t) = L(x, t)") { loss, item, values in
      let x = item.prediction.map { ($0 * 64).rounded() / 64 }
      guard x.allSatisfy({ $0.magnitude < 0x1p16 }) else { return .holds }
      let shifted = Item(x.map { $0 + 640 }, item.target)
      return .equal(values.loose(loss, Item(x, item.target)), values.loose(loss, shifted))
    }
  }

  /// At equal logits L = A ln C, with A the sum of the masses.
  static func uniform(
    _ statement: String, mass: @escaping @Sendable (L, Item) -> Interval<DoubleDouble>
  ) -> Self {
    Law(statement) { loss, item, values in
      let zeros = Item(item.prediction.map { _ in 0 }, item.target)
      let classes = Interval<DoubleDouble>(Double(item.prediction.count))
      return .equal(values.loose(loss, zeros), mass(loss, item) * .log(classes))
    }
  }

  /// The same when the order of the classes is reversed, in the item and in the loss.
  static func permutable(_ reversed: @escaping @Sendable (L, Item) -> (L, Item)?) -> Self {
    Law("unchanged when the classes are listed in reverse") { loss, item, values in
      guard let (other, there) = reversed(loss, item) else { return .holds }
      return .equal(values.loose(loss, item), values.loose(other, there))
    }
  }
}

extension ClassWeighted {
  fileprivate var reversed: Self {
    var other = self
    other.classWeights = classWeights?.reversed()
    return other
  }
}

extension SparseSoftmaxCrossEntropy {
  public static let laws: [Law<Self>] = [
    .nonNegative, .shiftInvariant,
    .permutable { loss, item in
      let last = Double(item.prediction.count - 1)
      return (loss.reversed, Item(item.prediction.reversed(), [last - item.target[0]]))
    },
    .agrees(
      "L(x, y) = cross-entropy at the one-hot target of y", with: SoftmaxCrossEntropy.self
    ) { loss, item in
      let dense = SoftmaxCrossEntropy(
        labelSmoothing: loss.labelSmoothing, classWeights: loss.classWeights)
      let oneHot = item.prediction.indices.map { Double($0) == item.target[0] ? 1.0 : 0 }
      return (dense, item, Item(item.prediction, oneHot))
    },
    .agrees(
      "L((x, 0), y) = binary cross-entropy of x, without weights", with: BinaryCrossEntropy.self
    ) { loss, item in
      guard loss.classWeights == nil, item.prediction.count > 1 else { return nil }
      let x = Double(Float(item.prediction[0] - item.prediction[1]))
      let y = item.target[0] == 0 ? 0.0 : 1.0
      return (
        BinaryCrossEntropy(labelSmoothing: loss.labelSmoothing), Item([x, 0], [y]),
        Item([x], [1 - y])
      )
    },
    Law("max x − x_y ≤ L ≤ max x − x_y + ln C, unweighted and unsmoothed") { loss, item, values in
      guard loss.classWeights == nil, loss.labelSmoothing == 0 else { return .holds }
      let x = item.prediction.map { Interval<DoubleDouble>($0) }
      let largest = Interval<DoubleDouble>(item.prediction.reduce(-.infinity, Swift.max))
      let gap = largest - x[Int(item.target[0])]
      let value = values.loose(loss, item)
      let lower = Verdict.atLeast(value, gap)
      guard case .holds = lower else { return lower }
      return .atLeast(gap + .log(Interval(Double(x.count))), value)
    },
    .uniform("L(0, y) = ((1 − s) w_y + s mean w) ln C") { loss, item in
      .sum(loss.masses(item.prediction.count, item.target.map { Interval($0) }))
    },
  ]
}

extension SoftmaxCrossEntropy {
  public static let laws: [Law<Self>] = [
    .nonNegative, .shiftInvariant,
    .permutable { loss, item in
      (loss.reversed, Item(item.prediction.reversed(), item.target.reversed()))
    },
    Law("L ≥ −Σ aⱼ ln (aⱼ / A), the entropy of the masses a = w (t (1 − s) + s / C)") {
      loss, item, values in
      let masses = loss.masses(item.target.map { Interval<DoubleDouble>($0) })
      let total = Interval.sum(masses)
      let entropy = masses.map { a in a.primal == 0 ? 0 : -(a * .log(a / total)) }
      return .atLeast(values.loose(loss, item), .sum(entropy))
    },
    Law("L(x, 4 t) = 4 L(x, t), unsmoothed") { loss, item, values in
      guard loss.labelSmoothing == 0 else { return .holds }
      let scaled = Item(item.prediction, item.target.map { 4 * $0 })
      return .equal(values.loose(loss, scaled), 4 * values.loose(loss, item))
    },
    .uniform("L(0, t) = A ln C") { loss, item in .sum(loss.masses(item.target.map { Interval($0) }))
    },
  ]
}

extension CrossEntropyFromProbabilities {
  public static let laws: [Law<Self>] = [
    .nonNegative,
    .permutable { loss, item in
      (loss, Item(item.prediction.reversed(), item.target.reversed()))
    },
    .invariant(under: "a common factor of the probabilities") { item in
      Item(item.prediction.map { 4 * $0 }, item.target)
    },
    Law("−A ln (1 − ε) ≤ L ≤ −A ln ε: never zero, never infinite") { loss, item, values in
      let mass = Interval.sum(loss.masses(item.target.map { Interval<DoubleDouble>($0) }))
      let epsilon = Interval<DoubleDouble>(loss.epsilon)
      let value = values.loose(loss, item)
      let lower = Verdict.atLeast(value, mass * -.log1p(-epsilon))
      guard case .holds = lower else { return lower }
      return .atLeast(mass * -.log(epsilon), value)
    },
  ]
}

extension DistributionFocal {
  public static let laws: [Law<Self>] = [
    .nonNegative, .shiftInvariant,
    .permutable { loss, item in
      let last = Double(item.prediction.count - 1)
      let y = last - item.target[0]
      guard isFloat(y), last - y == item.target[0] else { return nil }
      return (loss, Item(item.prediction.reversed(), [y]))
    },
    .agrees(
      "at an integer y, L = sparse cross-entropy at class y", with: SparseSoftmaxCrossEntropy.self
    ) { _, item in
      let there = Item(item.prediction, [item.target[0].rounded(.down)])
      return (SparseSoftmaxCrossEntropy(), there, there)
    },
    Law("L is linear in y between integers") { loss, item, values in
      let i = item.target[0].rounded(.down)
      guard i + 1 < Double(item.prediction.count) else { return .holds }
      let right = Interval<DoubleDouble>(item.target[0] - i)
      let between =
        (1 - right) * values.loose(loss, Item(item.prediction, [i]))
        + right * values.loose(loss, Item(item.prediction, [i + 1]))
      return .equal(values.loose(loss, item), between)
    },
    Law("L ≥ H(y − ⌊y⌋), the binary entropy") { loss, item, values in
      let right = item.target[0] - item.target[0].rounded(.down)
      let shares = [Interval<DoubleDouble>(right), 1 - Interval(right)]
      let entropy = shares.map { $0.primal == 0 ? 0 : -($0 * .log($0)) }
      return .atLeast(values.loose(loss, item), .sum(entropy))
    },
    .uniform("L(0, y) = ln C") { _, _ in 1 },
  ]
}
