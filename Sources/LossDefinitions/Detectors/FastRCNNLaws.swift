extension FastRCNN {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .invariant(under: "another order of the rows") { _, scene in
      scene.rows((0..<scene.truths.labels.count).reversed())
    },
    .invariant(under: "all rows twice") { _, scene in
      scene.rows(Array(0..<scene.truths.labels.count) + Array(0..<scene.truths.labels.count))
    },
    ObjectiveLaw("the box term is 0 at the target deltas") { objective, scene, answers in
      var met = scene
      for (row, column) in objective.boxColumns(scene) {
        for k in 0..<4 {
          // A target that any precision holds.
          met.truths.deltas[4 * row + k] = Double(Float(scene.truths.deltas[4 * row + k]))
          met.heads[1].data[column + k] = met.truths.deltas[4 * row + k]
        }
      }
      return .equal(try answers.terms(objective, met)[1], 0)
    },
    ObjectiveLaw("no box gradient but in the four deltas of a foreground row's class") {
      objective, scene, answers in
      let own = objective.boxColumns(scene).flatMap { _, column in column..<column + 4 }
      let gradient = try answers.gradients(objective, scene)[1]
      for k in Set(gradient.data.indices).subtracting(own) where gradient.data[k] != 0 {
        return .refuted("\(gradient.data[k]) at entry \(k)")
      }
      return .holds
    },
    ObjectiveLaw("the gradient in a row's logits sums to 0, and is 0 in rows that do not count") {
      objective, scene, answers in
      let counted = Set(objective.decide(scene.heads, scene.truths).counted)
      let logits = try answers.gradients(objective, scene)[0]
      for row in scene.truths.labels.indices {
        let slopes = (0..<logits.columns).map { logits[row, $0] }
        let largest = slopes.map(\.magnitude).max() ?? 0
        let sum = slopes.reduce(0, +)
        guard sum.magnitude <= 0x1p-20 * largest, counted.contains(row) || largest == 0 else {
          return .refuted("row \(row): largest \(largest), sum \(sum)")
        }
      }
      return .holds
    },
    ObjectiveLaw("twice the gains: twice the terms") { objective, scene, answers in
      var doubled = objective
      doubled.classGain *= 2
      doubled.boxGain *= 2
      let once = try answers.terms(objective, scene)
      for (a, b) in zip(once, try answers.terms(doubled, scene)) {
        let verdict = Verdict.equal(2 * a, b)
        if verdict != .holds { return verdict }
      }
      return .holds
    },
  ]

  /// The rows that are not background, and where each one's four deltas begin in the box head.
  private func boxColumns(_ scene: Scene<Truths>) -> [(row: Int, column: Int)] {
    let decisions = decide(scene.heads, scene.truths)
    return zip(decisions.foreground, decisions.columns).map { ($0, $1) }
  }

  // MARK: - Scenes

  public static let strata = [
    "plain", "background", "foreground", "saturated", "converged", "single", "empty",
  ]

  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<Truths> {
    let columns = 4
    let rows =
      switch stratum {
      case "empty": 0
      case "single": 1
      default: random.integer(2...24)
      }
    let none = background == .first ? 0 : columns - 1
    let classes = (0..<columns).filter { $0 != none }
    let labels = (0..<rows).map { _ in
      switch stratum {
      case "background": none
      case "foreground": random.pick(classes)
      default: random.chance(0.6) ? none : random.pick(classes)
      }
    }
    let scale = stratum == "saturated" ? 30.0 : 4
    let logits = Tensor(
      [rows, columns], (0..<rows * columns).map { _ in random.uniform(-scale, scale) })
    let groups = boxColumns == .all ? columns : boxColumns == .classes ? columns - 1 : 1
    var boxes = Tensor(
      [rows, 4 * groups], (0..<rows * 4 * groups).map { _ in random.uniform(-2, 2) })
    let deltas = (0..<4 * rows).map { _ in random.uniform(-2, 2) }
    let active = (0..<columns).map { $0 == none || random.chance(0.6) }
    var truths = Truths(labels: labels, deltas: deltas, active: active)
    if stratum == "converged" {
      for (row, column) in boxColumns(Scene([logits, boxes], truths)) {
        for k in 0..<4 {
          boxes.data[column + k] =
            deltas[4 * row + k] + random.sign() * random.logarithmic(1e-6, 1e-2)
        }
      }
    }
    activateFirst(logits, &truths)
    return Scene([logits, boxes], truths)
  }

  /// Makes the first row's predicted class active where no row's is.
  private func activateFirst(_ logits: Tensor, _ truths: inout Truths) {
    guard counting == .active, !truths.labels.isEmpty,
      decide([logits, Tensor(zeros: [0])], truths).counted.isEmpty
    else { return }
    let row = logits.data.prefix(logits.columns)
    truths.active?[row.indices.max { row[$0] < row[$1] } ?? 0] = true
  }
}

extension Scene where Truths == FastRCNN.Truths {
  /// The rows named, in that order.
  func rows(_ order: some Sequence<Int>) -> Scene {
    let order = Array(order)
    return Scene(
      heads.map { $0.planes(order) },
      FastRCNN.Truths(
        labels: order.map { truths.labels[$0] },
        deltas: order.flatMap { truths.deltas[4 * $0..<4 * $0 + 4] }, active: truths.active))
  }
}
