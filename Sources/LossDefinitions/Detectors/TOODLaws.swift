extension TOOD {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .invariant(under: "another order of an image's truths, no two overlaps alike") {
      objective, scene in
      guard !objective.hasTies(scene) else { return nil }
      return scene.with { $0.withReversedTruths }
    },
    .invariant(under: "another order of the images") { _, scene in scene.with { $0.reversed } },
    .invariant(under: "doubling of the batch, Σ n ≥ 1") { objective, scene in
      objective.labelSum(scene) >= 1 ? scene.with { $0.doubled } : nil
    },
    ObjectiveLaw("localization ≤ 2 boxWeight") { objective, scene, answers in
      .atLeast(Interval(2 * objective.boxWeight), try answers.terms(objective, scene)[1])
    },
    ObjectiveLaw("no gradient in the boxes of background") { objective, scene, answers in
      let owners = objective.decide(scene.heads, scene.truths).joined()
      let boxes = try answers.gradients(objective, scene)[1]
      for (row, owner) in owners.enumerated() where owner == nil {
        guard boxes.data[4 * row..<4 * row + 4].allSatisfy({ $0 == 0 }) else {
          return .refuted("anchor \(row) is background, and its box has a gradient")
        }
      }
      return .holds
    },
    ObjectiveLaw("descent moves every score toward its label") {
      objective, scene, answers in
      let scores = scene.heads[0]
      let slopes = try answers.gradients(objective, scene)[0]
      let labels = objective.targets(scene)
      for i in scores.data.indices {
        let (away, slope) = (scores[i] - labels[i], slopes[i])
        guard away.magnitude < 0x1p-10 || away * slope >= 0 else {
          return .refuted("entry \(i): score \(scores[i]), label \(labels[i]), slope \(slope)")
        }
      }
      return .holds
    },
    ObjectiveLaw("the gradient in the scores is 0 where they are their labels") {
      objective, scene, answers in
      guard scene.truths.images.allSatisfy(\.boxes.isEmpty) else { return .holds }
      var perfect = scene
      perfect.heads[0] = perfect.heads[0].map { _ in 0 }
      let isFlat = try answers.gradients(objective, perfect)[0].data.allSatisfy { $0 == 0 }
      let terms = try answers.terms(objective, perfect)
      return isFlat ? Verdict.equal(terms[0], 0) : .refuted("a gradient at scores of 0")
    },
  ]

  public static var configurations: [Configuration<Self>] {
    var mmdetection = Self()
    mmdetection.normalizer = .atLeastOne
    var few = Self()
    few.assignment.topk = 3
    few.assignment.beta = 2
    few.boxWeight = 1
    return [
      Configuration("default", Self()), Configuration("mmdetection", mmdetection),
      Configuration("topk = 3, beta = 2, boxWeight = 1", few),
    ]
  }

  /// Each image's matching.
  func matchings(_ scene: Scene<Truths>) -> [TOODAssignment.Matching] {
    scene.truths.images.indices.map {
      assignment.optimized(problem(scene.heads, scene.truths, $0))
    }
  }

  private func labelSum(_ scene: Scene<Truths>) -> Double {
    matchings(scene).flatMap(\.labels).reduce(0, +)
  }

  /// The label of each score.
  private func targets(_ scene: Scene<Truths>) -> [Double] {
    var targets = scene.heads[0].map { _ in 0.0 }
    for (image, matching) in matchings(scene).enumerated() {
      for (a, owner) in matching.owners.enumerated() {
        guard let owner else { continue }
        let label = scene.truths.images[image].labels[owner]
        targets.data[targets.index(image, a, label)] = matching.labels[a]
      }
    }
    return targets.data
  }

  private func hasTies(_ scene: Scene<Truths>) -> Bool {
    scene.truths.images.indices.contains { image in
      assignment.hasTies(problem(scene.heads, scene.truths, image))
    }
  }

  // MARK: - Scenes

  public static var strata: [String] { TOODAssignment.strata }

  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<Truths> {
    let (images, classes) = (random.integer(1...2), 3)
    let anchors = TOODAssignment.anchors([(4, 4, 8), (2, 2, 16)])
    let truths = (0..<images).map { image in
      // Of a batch's two images one may well be empty.
      stratum == "empty" && image == 1
        ? TOODAssignment.truths("plain", classes: classes, using: &random)
        : TOODAssignment.truths(stratum, classes: classes, using: &random)
    }
    let boxes = truths.flatMap { truths in
      anchors.flatMap { TOODAssignment.box(at: $0, near: truths, using: &random).corners }
    }
    let scores = (0..<images * anchors.count * classes).map { _ in
      TOODAssignment.score(stratum, using: &random)
    }
    return Scene(
      [
        Tensor([images, anchors.count, classes], scores),
        Tensor([images, anchors.count, 4], boxes),
      ], Truths(truths, anchors: anchors))
  }

  // MARK: - Examples

  /// 15 anchors of two levels and two truths, as the chapter works them out.
  public static var worked: [WorkedScene<Self>] {
    var mmdetection = Self()
    mmdetection.normalizer = .atLeastOne
    return [
      WorkedScene("worked", Self(), example), WorkedScene("mmdetection", mmdetection, example),
      WorkedScene(
        "empty", Self(), Scene(example.heads, Truths([ImageTruths()], anchors: exampleAnchors))),
    ]
  }

  static var example: Scene<Truths> {
    let anchors = exampleAnchors
    let logits = pattern([1, 15, 3], 19, 5, 43, 26, 12)
    let moves = pattern([1, 15, 4], 7, 2, 17, 8, 3)
    let corners = anchors.flatMap(\.corners)
    let truths = ImageTruths(
      [Box(x1: 1, y1: 2, x2: 15, y2: 17), Box(x1: 5, y1: 6, x2: 31, y2: 29)], labels: [0, 2])
    return Scene(
      [
        logits.map { Double.sigmoid($0) },
        Tensor([1, 15, 4], zip(corners, moves.data).map { $0 + $1 }),
      ], Truths([truths], anchors: anchors))
  }

  /// Strides 16 and 32 in an image of 32 x 32; about each cell's centre three boxes of the stride's
  /// area, of height over width 1/2, 1 and 2.
  private static var exampleAnchors: [Box<Double>] {
    let cells = [(8.0, 8.0, 16.0), (24, 8, 16), (8, 24, 16), (24, 24, 16), (16, 16, 32)]
    return cells.flatMap { x, y, stride in
      [0.5, 1, 2].map { ratio -> Box<Double> in
        let root = Double.sqrt(ratio)
        let (w, h) = (stride / root / 2, stride * root / 2)
        return Box(x1: x - w, y1: y - h, x2: x + w, y2: y + h)
      }
    }
  }
}

extension Scene where Truths == TOOD.Truths {
  /// The scene with its heads and truths, but not its anchors, transformed.
  fileprivate func with(
    _ transform: (Scene<[ImageTruths]>) -> Scene<[ImageTruths]>
  ) -> Scene {
    let moved = transform(Scene<[ImageTruths]>(heads, truths.images))
    return Scene(moved.heads, TOOD.Truths(moved.truths, anchors: truths.anchors))
  }
}
