extension RPN {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .invariant(
      under: "another order of an image's truths, without ties and if none takes anchors"
    ) { objective, scene in
      objective.dependsOnOrder(scene)
        ? nil
        : scene.truths.withReversedBoxes.map {
          Scene(scene.heads, $0)
        }
    },
    .invariant(under: "another order of the images") { _, scene in
      scene.picking(Array((0..<scene.truths.count).reversed()))
    },
    .invariant(under: "the batch followed by itself") { _, scene in
      scene.picking(Array(0..<scene.truths.count) + Array(0..<scene.truths.count))
    },
    ObjectiveLaw("with normalizers per image, the mean over the images of each alone") {
      objective, scene, answers in
      guard case .perImage = objective.classNormalizer, case .perImage = objective.boxNormalizer,
        scene.truths.count > 0
      else { return .holds }
      let whole = try answers.terms(objective, scene)
      let parts = try (0..<scene.truths.count).map {
        try answers.terms(objective, scene.picking([$0]))
      }
      for (k, term) in whole.enumerated() {
        let sum = Interval<DoubleDouble>.sum(parts.map { $0[k] })
        let verdict = Verdict.equal(Interval(Double(parts.count)) * term, sum)
        if verdict != .holds { return verdict }
      }
      return .holds
    },
    ObjectiveLaw("an image's labels and sample are those of the image alone") {
      objective, scene, _ in
      let whole = objective.decide(scene.heads, scene.truths)
      for image in 0..<scene.truths.count {
        let alone = scene.picking([image])
        guard objective.decide(alone.heads, alone.truths).labels == [whole.labels[image]] else {
          return .refuted("other labels of image \(image)")
        }
      }
      return .holds
    },
    ObjectiveLaw("no gradient in the deltas of negatives, none at all in what is not sampled") {
      objective, scene, answers in
      let labels = Array(objective.decide(scene.heads, scene.truths).labels.joined())
      let gradients = try answers.gradients(objective, scene)
      for (row, label) in labels.enumerated() {
        if label != 1, !gradients[1].isZero(row, of: labels.count) {
          return .refuted("anchor \(row) has label \(label), and its deltas a gradient")
        }
        if label == -1, !gradients[0].isZero(row, of: labels.count) {
          return .refuted("anchor \(row) is not sampled, and its score has a gradient")
        }
      }
      return .holds
    },
    ObjectiveLaw("at the target deltas the box term is 0, but for their rounding") {
      objective, scene, answers in
      let (there, rounding) = objective.atTarget(scene)
      let box = try answers.terms(objective, there)[1]
      return .atLeast(Interval(rounding), box)
    },
    ObjectiveLaw("logits 0 and x of background and object have the objectness of one logit x") {
      objective, scene, answers in
      guard objective.classification == .softmax else { return .holds }
      let logits = scene.heads[0]
      let x = (0..<logits.data.count / 2).map { logits[2 * $0 + 1] }
      var (pairs, single) = (scene, scene)
      pairs.heads[0].data = x.flatMap { [0, $0] }
      single.heads[0] = Tensor([logits.shape[0], logits.shape[1]], x)
      var sigmoid = objective
      sigmoid.classification = .sigmoid
      return .equal(
        try answers.terms(objective, pairs)[0], try answers.terms(sigmoid, single)[0])
    },
    ObjectiveLaw("raising the logits of negatives does not lower the objectness") {
      objective, scene, answers in
      if case .probability = objective.classification { return .holds }
      let width = objective.classification == .softmax ? 2 : 1
      var raised = scene
      for (row, label) in objective.decide(scene.heads, scene.truths).labels.joined().enumerated()
      where label == 0 {
        raised.heads[0].data[width * row + width - 1] += 1
      }
      return .atLeast(
        try answers.terms(objective, raised)[0], try answers.terms(objective, scene)[0])
    },
  ]

  public static var configurations: [Configuration<Self>] {
    var few = Self()
    few.sampler.quota = 8
    return [
      Configuration("default", Self()),
      Configuration("detectron2", .detectron2()),
      Configuration("detectron2, beta = 0.25", .detectron2(beta: 0.25)),
      Configuration("Matterport 0.2", .matterport),
      Configuration("Keras binary cross-entropy, Huber", .keras(fromLogits: false)),
      Configuration("Keras sigmoid cross-entropy, Huber", .keras(fromLogits: true)),
      Configuration("a quota of 8", few),
    ]
  }

  /// detectron2's: sums over the quota of all images, and the absolute error.
  public static func detectron2(quota: Int = 256, beta: Double = 0) -> Self {
    var rpn = Self()
    rpn.sampler.quota = quota
    rpn.localization = .smoothL1(beta: beta)
    rpn.classNormalizer = .perImage(quota)
    rpn.boxNormalizer = .perImage(quota)
    return rpn
  }

  /// Matterport's: two logits, rows dy, dx, dh, dw over deviations, the mean over the positives' deltas.
  public static var matterport: Self {
    var rpn = Self()
    rpn.assigner = .matterport
    rpn.coder = BoxDeltas(.yx, deviations: [0.1, 0.1, 0.2, 0.2])
    rpn.classification = .softmax
    rpn.localization = .smoothL1(beta: 1)
    rpn.boxNormalizer = .positiveDeltas
    return rpn
  }

  /// What ports to Keras use: binary cross-entropy, of probabilities clipped at 1e-7 or of logits, and
  /// Huber's loss, both as means.
  public static func keras(fromLogits: Bool, delta: Double = 1) -> Self {
    var rpn = matterport
    rpn.classification = fromLogits ? .sigmoid : .probability(epsilon: 1e-7)
    rpn.localization = .huber(delta: delta)
    return rpn
  }

  // MARK: - Scenes

  public static let strata = [
    "plain", "crowded", "tiny", "border", "duplicate", "apart", "near", "confident", "targets",
    "empty",
  ]

  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<Supervision> {
    let anchors = AnchorSamples.anchors(using: &random)
    let images = random.integer(1...3)
    let truths =
      stratum == "targets"
      ? Self.targets(images, anchors.count, using: &random)
      : Supervision.boxes(
        anchors: anchors,
        images: (0..<images).map { image in
          Image(
            AnchorSamples.truths(
              stratum == "near" && image == 0 ? "plain" : stratum, near: anchors, using: &random),
            crowds: random.chance(0.2)
              ? AnchorSamples.truths("plain", near: anchors, using: &random) : [],
            seed: random.next())
        })
    let scale = stratum == "confident" ? 30.0 : 4
    let isPair = classification == .softmax
    let scores = (0..<images * anchors.count * (isPair ? 2 : 1)).map { _ in
      if case .probability = classification { return random.uniform(0.001, 0.999) }
      return random.uniform(-scale, scale)
    }
    let deltas = (0..<images * anchors.count).flatMap { _ in
      coder.weights.map { $0 * random.uniform(-1, 1) }
    }
    var scene = Scene(
      [
        Tensor([images, anchors.count] + (isPair ? [2] : []), scores),
        Tensor([images, anchors.count, 4], deltas),
      ], truths)
    if stratum == "near" {
      let target = atTarget(scene).scene.heads[1].data
      scene.heads[1].data = target.map { $0 + random.sign() * random.logarithmic(1e-4, 1) }
    }
    return scene
  }

  private static func targets(
    _ images: Int, _ anchors: Int, using random: inout SplitMix
  ) -> Supervision {
    .targets(
      labels: (0..<images).map { _ in (0..<anchors).map { _ in random.integer(-1...1) } },
      deltas: Tensor(
        [images, anchors, 4], (0..<images * anchors * 4).map { _ in random.uniform(-1, 1) }))
  }
}

extension RPN {
  /// The scene with the positives' deltas at their targets, rounded to Float, and the most that the
  /// rounding makes of the box term.
  fileprivate func atTarget(_ scene: Scene<Supervision>) -> (scene: Scene<Supervision>, Double) {
    let decisions = decide(scene.heads, scene.truths)
    var there = scene
    var rounding = 0.0
    for (image, labels) in decisions.labels.enumerated() {
      for (a, label) in labels.enumerated() where label == 1 {
        let target: [Double] = target(scene.truths, decisions, image, a)
        for (k, t) in target.enumerated() {
          let x = Double(Float(t))
          there.heads[1].data[scene.heads[1].index(image, a, k)] = x
          rounding += (x - t).magnitude + 0x1p-48 * t.magnitude
        }
      }
    }
    return (there, rounding / count(boxNormalizer, decisions))
  }

  /// Whether an order of the truths other than theirs may change what an anchor learns.
  fileprivate func dependsOnOrder(_ scene: Scene<Supervision>) -> Bool {
    guard case .boxes(let anchors, let images) = scene.truths else { return true }
    if assigner.lowQuality?.takesAnchors == true { return true }
    return images.contains { image in
      let problem = MaxIoU.Problem(anchors: anchors, truths: image.boxes, crowds: image.crowds)
      return problem.hasTies(in: assigner.reference(problem))
    }
  }
}

extension RPN.Supervision {
  /// The number of images.
  public var count: Int {
    switch self {
    case .boxes(_, let images): images.count
    case .targets(let labels, _): labels.count
    }
  }

  fileprivate var withReversedBoxes: Self? {
    guard case .boxes(let anchors, let images) = self else { return nil }
    return .boxes(
      anchors: anchors,
      images: images.map { RPN.Image($0.boxes.reversed(), crowds: $0.crowds, seed: $0.seed) })
  }

  fileprivate func picking(_ images: [Int]) -> Self {
    switch self {
    case .boxes(let anchors, let all): .boxes(anchors: anchors, images: images.map { all[$0] })
    case .targets(let labels, let deltas):
      .targets(labels: images.map { labels[$0] }, deltas: deltas.picking(images))
    }
  }
}

extension Scene where Truths == RPN.Supervision {
  /// The named images, as often as they are named.
  fileprivate func picking(_ images: [Int]) -> Scene {
    Scene(heads.map { $0.picking(images) }, truths.picking(images))
  }
}

extension Shaped where Number == Double {
  func picking(_ images: [Int]) -> Self {
    .images(images.map { image($0) }, like: self)
  }

  /// Whether every number of a row is 0, of so many rows.
  fileprivate func isZero(_ row: Int, of rows: Int) -> Bool {
    let each = data.count / rows
    return data[row * each..<(row + 1) * each].allSatisfy { $0 == 0 }
  }
}
