extension RetinaNet {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .invariant(under: "another order of an image's truths, no overlaps alike, no anchor taken") {
      objective, scene in
      let isFree = objective.assigner.lowQuality?.takesAnchors != true
      return isFree && !scene.truths.contains { $0.hasTies } ? scene.withTruthsReversed : nil
    },
    .invariant(under: "another order of the images") { _, scene in scene.withReversedImages },
    .invariant(under: "doubling the batch, with N of each image") { objective, scene in
      objective.normalizer == .eachImage ? scene.twice : nil
    },
    ObjectiveLaw("with N of each image, the mean over the images of each alone") {
      objective, scene, answers in
      guard objective.normalizer == .eachImage else { return .holds }
      let whole = try answers.terms(objective, scene)
      let parts = try scene.eachImage.map { try answers.terms(objective, $0) }
      for (k, term) in whole.enumerated() {
        let sum = Interval<DoubleDouble>.sum(parts.map { $0[k] })
        let verdict = Verdict.equal(Interval(Double(parts.count)) * term, sum)
        if verdict != .holds { return verdict }
      }
      return .holds
    },
    ObjectiveLaw("no gradient in the deltas of negatives, none at all in ignored anchors") {
      objective, scene, answers in
      let matches = objective.decide(scene.heads, scene.truths).matches.joined()
      let gradients = try answers.gradients(objective, scene)
      for (row, match) in matches.enumerated() {
        if match < 0, !gradients[1].row(row).allSatisfy({ $0 == 0 }) {
          return .refuted("anchor \(row) is not positive, and its deltas have a gradient")
        }
        if match == AnchoredImage.ignored, !gradients[0].row(row).allSatisfy({ $0 == 0 }) {
          return .refuted("anchor \(row) is ignored, and its logits have a gradient")
        }
      }
      return .holds
    },
    ObjectiveLaw("localization is 0 where every positive anchor is its truth and its deltas are 0")
    {
      objective, scene, answers in
      switch objective.localization {
      case .l1, .smoothL1: break
      default: return .holds
      }
      let matches = objective.decide(scene.heads, scene.truths).matches
      let perfect = Scene(
        [scene.heads[0], scene.heads[1].map { _ in 0 }],
        zip(scene.truths, matches).map { image, matches in
          let anchors = zip(image.anchors, matches).map { anchor, match in
            match >= 0 ? image.truths.boxes[match] : anchor
          }
          return AnchoredImage(anchors, image.truths, matches: matches)
        })
      return .equal(try answers.terms(objective, perfect)[1], 0)
    },
  ]

  public static let torchvision = Self()

  /// - Parameter running: r before the step.
  public static func detectron2(running: Double = 100, momentum: Double = 0.9) -> Self {
    var objective = Self()
    objective.localization = .smoothL1(beta: 0.1)
    objective.normalizer = .running(running, momentum: momentum)
    return objective
  }

  public static var mmdetection: Self {
    var objective = Self()
    objective.normalizer = .batch(epsilon: 0x1p-23)
    objective.assigner.lowQuality?.takesAnchors = true
    return objective
  }

  public static var configurations: [Configuration<Self>] {
    func with(_ localization: Localization) -> Self {
      var objective = Self()
      objective.localization = localization
      return objective
    }
    var soft = Self.detectron2(running: 7)
    (soft.alpha, soft.gamma) = (0.5, 1.5)
    return [
      Configuration("torchvision", torchvision),
      Configuration("detectron2", detectron2()),
      Configuration("detectron2, r = 7, alpha = 0.5, gamma = 1.5", soft),
      Configuration("mmdetection", mmdetection),
      Configuration("torchvision, smooth_l1", with(.smoothL1(beta: 1))),
      Configuration("torchvision, giou", with(.giou(epsilon: 1e-7))),
      Configuration("torchvision, diou", with(.diou(epsilon: 1e-7))),
      Configuration("torchvision, ciou", with(.ciou(epsilon: 1e-7))),
    ]
  }

  // MARK: - Scenes

  public static let strata = AnchoredImage.strata

  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<[AnchoredImage]> {
    let truths = (0..<random.integer(1...3)).map {
      AnchoredImage.sample(stratum, image: $0, using: &random)
    }
    let (images, anchors) = (truths.count, AnchoredImage.sampleAnchors.count)
    let scale = stratum == "confident" ? 30.0 : 4
    return Scene(
      [
        Tensor(
          [images, anchors, 3],
          (0..<images * anchors * 3).map { _ in random.uniform(-scale, scale) }),
        Tensor(
          [images, anchors, 4], (0..<images * anchors * 4).map { _ in random.uniform(-0.7, 0.7) }),
      ], truths)
  }

  // MARK: - Examples

  public static var worked: [WorkedScene<Self>] {
    func scene(_ images: [Int]) -> Scene<[AnchoredImage]> {
      let logits = pattern([3, 15, 3], 17, 3, 47, 30, 14)
      let deltas = pattern([3, 15, 4], 13, 5, 41, 20, 30)
      return Scene(
        [logits, deltas].map { head in Tensor.images(images.map { head.image($0) }, like: head) },
        images.map { AnchoredImage(DenseExample.anchors, DenseExample.truths[$0]) })
    }
    return [
      WorkedScene("torchvision", torchvision, scene([0, 1])),
      WorkedScene("detectron2", detectron2(), scene([0, 1])),
      WorkedScene("mmdetection", mmdetection, scene([0, 1])),
      WorkedScene("torchvision, image 0", torchvision, scene([0])),
      WorkedScene("torchvision, image 1", torchvision, scene([1])),
      WorkedScene("torchvision, with an empty image", torchvision, scene([0, 1, 2])),
      WorkedScene("detectron2, with an empty image", detectron2(), scene([0, 1, 2])),
      WorkedScene("mmdetection, with an empty image", mmdetection, scene([0, 1, 2])),
      WorkedScene("torchvision, empty", torchvision, scene([2])),
      WorkedScene("detectron2, empty", detectron2(), scene([2])),
      WorkedScene("mmdetection, empty", mmdetection, scene([2])),
      WorkedScene("detectron2, second step", detectron2(running: 90.7), scene([0, 1])),
    ]
  }
}

extension Shaped {
  /// A row of the last axis, in order.
  func row(_ row: Int) -> ArraySlice<Number> { data[row * columns..<(row + 1) * columns] }
}
