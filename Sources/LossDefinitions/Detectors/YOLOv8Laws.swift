extension YOLOv8 {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .invariant(under: "another order of an image's truths, no two alike") { objective, scene in
      guard !objective.hasTies(scene) else { return nil }
      var moved = scene
      moved.truths.rows.reverse()
      return moved
    },
    .invariant(under: "another order of the images") { _, scene in
      var moved = scene
      moved.heads = scene.heads.map { Tensor.images($0.images.reversed(), like: $0) }
      let images = scene.heads[0].shape[0]
      for i in moved.truths.rows.indices {
        moved.truths.rows[i].image = images - 1 - moved.truths.rows[i].image
      }
      return moved
    },
    .invariant(under: "another name of each class, in truths, logits and weights") {
      objective, scene in
      guard objective.classWeights == nil else { return nil }
      return scene.renamingClasses
    },
    ObjectiveLaw("a batch after itself: the total doubles where Σ t ≥ 1") {
      objective, scene, answers in
      guard objective.scalesWithBatch, objective.targetSum(scene) > 1 + 0x1p-20 else {
        return .holds
      }
      var doubled = scene
      doubled.heads = scene.heads.map { Tensor.images($0.images + $0.images, like: $0) }
      for row in scene.truths.rows {
        var copy = row
        copy.image += scene.heads[0].shape[0]
        doubled.truths.rows.append(copy)
      }
      return .equal(
        2 * (try answers.total(objective, scene)), try answers.total(objective, doubled))
    },
    ObjectiveLaw("gains times c: the total times c") { objective, scene, answers in
      var louder = objective
      louder.boxGain *= 4
      louder.classGain *= 4
      louder.distributionGain *= 4
      return .equal(4 * (try answers.total(objective, scene)), try answers.total(louder, scene))
    },
    ObjectiveLaw("no gradient in the distances of the background") { objective, scene, answers in
      let decisions = objective.decide(scene.heads, scene.truths)
      let boxes = try answers.gradients(objective, scene)[0]
      for b in 0..<boxes.shape[0] {
        let foreground = Set(decisions[b].map(\.anchor))
        for a in 0..<boxes.shape[2] where !foreground.contains(a) {
          for k in 0..<boxes.shape[1] where boxes[b, k, a] != 0 {
            return .refuted("image \(b), anchor \(a), channel \(k): \(boxes[b, k, a])")
          }
        }
      }
      return .holds
    },
    ObjectiveLaw("a side's gradient sums to 0 over its bins") { objective, scene, answers in
      let boxes = try answers.gradients(objective, scene)[0]
      let bins = boxes.shape[1] / 4
      guard bins > 1 else { return .holds }
      let scale = boxes.data.reduce(0) { max($0, $1.magnitude) }
      for b in 0..<boxes.shape[0] {
        for a in 0..<boxes.shape[2] {
          for side in 0..<4 {
            let sum = (0..<bins).reduce(0.0) { $0 + boxes[b, side * bins + $1, a] }
            guard sum.magnitude <= 0x1p-18 * scale else {
              return .refuted("image \(b), anchor \(a), side \(side): \(sum)")
            }
          }
        }
      }
      return .holds
    },
    ObjectiveLaw("class term ≥ B g_cls Σ H(t) / T, without class weights") {
      objective, scene, answers in
      guard objective.classWeights == nil else { return .holds }
      let weights = objective.weights(scene)
      let entropy = weights.reduce(0.0) { sum, t in
        0 < t && t < 1 ? sum - t * Double.log(t) - (1 - t) * Double.log1p(-t) : sum
      }
      let images = objective.scalesWithBatch ? Double(scene.heads[0].shape[0]) : 1
      let bound = images * objective.classGain * entropy / max(weights.reduce(0, +), 1)
      return .atLeast(
        try answers.terms(objective, scene)[1], Interval(bound * (1 - 0x1p-30)))
    },
  ]

  /// The target scores of the foreground.
  func weights(_ scene: Scene<Truths>) -> [Double] {
    let decisions = decide(scene.heads, scene.truths)
    return foreground(scene.heads[0], scene.heads[1], scene.truths, decisions).map(\.weight)
  }

  func targetSum(_ scene: Scene<Truths>) -> Double { weights(scene).reduce(0, +) }

  /// Whether the order of the truths may decide: two of an image alike, or an anchor that several
  /// pick and none overlaps.
  private func hasTies(_ scene: Scene<Truths>) -> Bool {
    for b in 0..<scene.heads[0].shape[0] {
      let problem = problem(b, scene.heads, scene.truths)
      if assigner(scene.truths.grid).hasTies(problem) { return true }
    }
    return false
  }
}

extension TaskAligned {
  /// Whether two truths overlap an anchor equally that more than one of them picked.
  func hasTies(_ problem: Problem) -> Bool {
    let trace = trace(problem)
    return trace.matching.conflicts.contains { conflict in
      let overlaps = trace.overlaps.map { $0[conflict.anchor] }
      let top = overlaps.max() ?? 0
      return overlaps.count { $0 >= top * (1 - 0x1p-40) } > 1
    }
  }
}

extension Scene where Truths == YOLOv8.Truths {
  /// Class c becomes class C - 1 - c, everywhere.
  fileprivate var renamingClasses: Self {
    var renamed = self
    let (images, classes, anchors) = (heads[1].shape[0], heads[1].shape[1], heads[1].shape[2])
    for b in 0..<images {
      for c in 0..<classes {
        for a in 0..<anchors {
          renamed.heads[1].data[heads[1].index(b, classes - 1 - c, a)] = heads[1][b, c, a]
        }
      }
    }
    for i in truths.rows.indices {
      renamed.truths.rows[i].label = classes - 1 - truths.rows[i].label
    }
    return renamed
  }
}
