import LossDefinitions

extension Mutant {
  /// Every mutant of a loss: those of answers, batches and reductions, those of its hyperparameters,
  /// and those of its formula.
  public static func all(of entry: any CatalogEntry) -> [Mutant] {
    func all<E: CatalogEntry>(_ entry: E) -> [Mutant] {
      answers(of: E.L.self) + batches + reductions + settings(of: E.L.self) + rows(of: E.L.self)
        + formulas(of: E.L.name)
    }
    return all(entry).map { mutant in
      var mutant = mutant
      mutant.equivalence = equivalence(of: mutant.name, entry.loss.name)
      return mutant
    }
  }

  // MARK: Of any loss

  private static func answers<L: Loss>(of _: L.Type) -> [Mutant] {
    var random = SplitMix(seed: 1, L.name)
    let width = L().sample(L.strata[0], using: &random).prediction.count
    let isRow = L.self is any RowLoss.Type
    var all = [
      Mutant("value sign", "The value has the other sign.", .answer { $0[0].negate() }),
      Mutant(
        "gradient sign", "The gradient has the other sign.",
        .answer { for k in $0.indices.dropFirst() { $0[k].negate() } }),
      Mutant(
        "no gradient", "The gradient is 0.",
        .answer { for k in $0.indices.dropFirst() { $0[k] = 0 } }),
      Mutant(
        "half gradient", "The gradient is half of what it is.",
        .answer { for k in $0.indices.dropFirst() { $0[k] *= 0.5 } }),
    ]
    for (format, part) in [(Format.f32, 1e-4), (.f64, 1e-6)] {
      @Sendable func off(_ k: Int, _ numbers: inout [Double]) {
        numbers[k] = format.rounded(numbers[k] * (1 + part))
      }
      all.append(
        Mutant(
          "value off by \(part)", "The value is off by a part of \(part) of it.",
          .answer { off(0, &$0) }, formats: [format]))
      let places: [(String, Int?)] =
        isRow
        ? [("first component", 1), ("last component", nil)]
        : (0..<width).map { ("component \($0)", $0 + 1) }
      for (place, k) in places {
        all.append(
          Mutant(
            "\(place) off by \(part)",
            "The gradient's \(place) is off by a part of \(part) of it.",
            .answer { off(k ?? $0.count - 1, &$0) }, formats: [format]))
      }
    }
    let swaps = isRow ? [(1, 2)] : [(1, 2), (1, 3)].filter { $0.1 <= width }
    for (a, b) in swaps {
      all.append(
        Mutant(
          "components \(a - 1) and \(b - 1) swapped", "Two components of the gradient are swapped.",
          .answer { if $0.count > b { $0.swapAt(a, b) } }))
    }
    return all
  }

  private static let batches = [
    Mutant(
      "stale lane", "Every fourth item of a batch gets the answer of the one before it.",
      .batch { for i in stride(from: 3, to: $0.count, by: 4) { $0[i] = $0[i - 1] } }),
    Mutant(
      "skipped tail", "What is beyond the last whole four of a batch stays 0.",
      .batch { answers in
        for i in answers.count / 4 * 4..<answers.count { answers[i] = answers[i].map { _ in 0 } }
      }),
    Mutant(
      "repeated tail", "What is beyond the last whole four of a batch gets its first one's answer.",
      .batch { answers in
        let first = answers.count / 4 * 4
        for i in first..<answers.count { answers[i] = answers[first] }
      }),
    Mutant(
      "wrong reduction in the batch", "Every item gets the mean value of the batch.",
      .batch { answers in
        let mean = Reduced(answers).mean
        for i in answers.indices { answers[i][0] = mean }
      }),
    Mutant(
      "gradient of the batch's mean", "Gradients are divided by the size of the batch.",
      .batch { answers in
        let n = Double(answers.count)
        answers = answers.map { [$0[0]] + $0.dropFirst().map { $0 / n } }
      }),
  ]

  static let reductions = [
    Mutant(
      "sum for mean", "The mean is the sum.",
      .reduction { answers, _ in
        var reduced = Reduced(answers, over: 1)
        reduced.sum = reduced.mean
        return reduced
      }),
    Mutant(
      "mean for sum", "The sum is the mean.",
      .reduction { answers, _ in
        var reduced = Reduced(answers)
        reduced.sum = reduced.mean
        return reduced
      }),
    Mutant(
      "gradient not scaled", "The mean's gradient is the sum's.",
      .reduction { answers, _ in
        var reduced = Reduced(answers)
        reduced.gradient = Reduced(answers, over: 1).gradient
        return reduced
      }),
    Mutant(
      "denominator N - 1", "The mean divides by one less than the count.",
      .reduction { answers, _ in Reduced(answers, over: Double(answers.count - 1)) }),
    Mutant(
      "denominator of positives", "The mean divides by the count of positives.",
      .reduction { answers, positives in
        Reduced(answers, over: Double(Swift.max(1, positives)))
      }),
    Mutant(
      "last item left out", "The sum leaves out the last item.",
      .reduction { answers, _ in
        var reduced = Reduced(answers)
        reduced.sum -= answers.last?[0] ?? 0
        reduced.mean = reduced.sum / Double(answers.count)
        return reduced
      }),
  ]

  // MARK: Of hyperparameters

  /// Each of the loss's other configurations, taken for the default; where the formulas below place
  /// epsilons, without those.
  private static func settings<L: Loss>(of _: L.Type) -> [Mutant] {
    L.configurations.dropFirst().compactMap { configuration in
      if BoxFormula.Base(rawValue: L.name) != nil, configuration.label.contains("psilon") {
        return nil
      }
      let loss = configuration.loss
      @Sendable func fits(_ item: Item) -> Bool {
        loss.requiredWidth.map { $0 == item.prediction.count } ?? true
      }
      return Mutant(
        "settings: \(configuration.label)", "Another setting: \(configuration.label).",
        .formula(
          answer: { item, format in
            guard fits(item) else { return nil }
            let gradient = loss.rounded(to: format).gradient(at: item)
            return ([gradient.value] + gradient.prediction).map { format.rounded($0) }
          },
          bounds: { item, format in
            guard fits(item) else { return nil }
            let gradient = loss.rounded(to: format).enclosure(
              ofGradientAt: item, rounding: Rounding(format))
            return [gradient.value] + gradient.prediction
          }))
    }
  }

  // MARK: Of rows

  private static func rows<L: Loss>(of _: L.Type) -> [Mutant] {
    guard L.self is any RowLoss.Type, !L.targetIsIndex, L.targetWidth(for: 9) == 9 else {
      return []
    }
    return [
      Mutant(
        "skipped tail of a row", "What is beyond the last whole four of a row is left out.",
        ShortRow<L>())
    ]
  }
}

/// A loss of the first whole fours of a row.
private struct ShortRow<L: Loss>: MutatedFormula {
  func value<S: Scalar>(_ x: [S], _ t: [S]) -> S {
    let kept = x.count / 4 * 4
    return L().reference(Array(x[..<kept]), Array(t[..<kept]))
  }
}
