extension FCOS {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .invariant(under: "another order of the images") { _, scene in
      Scene(
        scene.heads.map { Tensor.images($0.images.reversed(), like: $0) }, scene.truths.reversed())
    },
    .invariant(under: "another order of an image's truths, no two areas alike") {
      objective, scene in
      objective.hasTies(scene) ? nil : Scene(scene.heads, scene.truths.map(\.withTruthsReversed))
    },
    ObjectiveLaw("a batch twice: the same terms, with N of the batch and without ε") {
      objective, scene, answers in
      guard objective.normalizer == .positives(epsilon: 0),
        objective.decide(scene.heads, scene.truths).matches.joined().contains(where: { $0 >= 0 })
      else { return .holds }
      let twice = Scene(
        scene.heads.map { Tensor.images($0.images + $0.images, like: $0) },
        scene.truths + scene.truths)
      let here = try answers.terms(objective, scene)
      for (a, b) in zip(here, try answers.terms(objective, twice)) {
        let verdict = Verdict.equal(a, b)
        if verdict != .holds { return verdict }
      }
      return .holds
    },
    ObjectiveLaw("no gradient in the distances and the centerness of negatives") {
      objective, scene, answers in
      let matches = objective.decide(scene.heads, scene.truths).matches.joined()
      let gradients = try answers.gradients(objective, scene)
      for (row, match) in matches.enumerated() where match < 0 {
        guard gradients[1].row(row).allSatisfy({ $0 == 0 }), gradients[2].data[row] == 0 else {
          return .refuted("point \(row) is negative, and has a gradient")
        }
      }
      return .holds
    },
    ObjectiveLaw("centerness ≥ Σ H(c) / N, the entropy of its targets") {
      objective, scene, answers in
      let decisions = objective.decide(scene.heads, scene.truths)
      var entropy: Interval<DoubleDouble> = 0
      for (image, matches) in zip(scene.truths, decisions.matches) {
        for (match, place) in zip(matches, image.places) where match >= 0 {
          let c = Distances<Interval<DoubleDouble>>(
            of: image.truths.boxes[match], from: place.point
          ).centerness
          guard c.upper.hi < 1 else { continue }
          entropy = entropy - c * .log(c) - (1 - c) * .log1p(-c)
        }
      }
      let floor = entropy / Interval(decisions.normalizer)
      return .atLeast(try answers.terms(objective, scene)[2], floor)
    },
    ObjectiveLaw("localization is 0 at the truths' own distances") {
      objective, scene, answers in
      guard objective.localization == .logPlusOne, !objective.isInStrides else { return .holds }
      let matches = objective.decide(scene.heads, scene.truths).matches
      var perfect = scene
      for (i, image) in scene.truths.enumerated() {
        for (a, place) in image.places.enumerated() where matches[i][a] >= 0 {
          let d = Distances<Double>(of: image.truths.boxes[matches[i][a]], from: place.point)
          for (k, side) in [d.l, d.t, d.r, d.b].enumerated() {
            guard Double(Float(side)) == side else { return .holds }
            perfect.heads[1].data[scene.heads[1].index(i, a, k)] = side
          }
        }
      }
      return .equal(try answers.terms(objective, perfect)[1], 0)
    },
  ]

  /// Whether two truths of an image rank alike.
  private func hasTies(_ scene: Scene<[Image]>) -> Bool {
    scene.truths.contains { image in
      let areas = image.truths.boxes.map { box in
        let area = box.width * box.height
        return points.area == .exact ? area : Double(Float(1e8) - Float(area))
      }
      return Set(areas).count != areas.count
    }
  }

  /// The authors'.
  public static let original = Self()

  public static var torchvision: Self {
    var objective = Self()
    objective.localization = .giou(epsilon: 1e-7)
    objective.isInStrides = true
    objective.points = .torchvision
    return objective
  }

  /// - Parameter running: r before the step.
  public static func detectron2(running: Double = 300, momentum: Double = 0.9) -> Self {
    var objective = Self.torchvision
    objective.normalizer = .running(running, momentum: momentum)
    return objective
  }

  public static var mmdetection: Self {
    var objective = Self()
    objective.localization = .logarithmic(floor: 1e-6)
    objective.normalizer = .positives(epsilon: 0x1p-23)
    return objective
  }

  public static var configurations: [Configuration<Self>] {
    [
      Configuration("FCOS", original),
      Configuration("torchvision", torchvision),
      Configuration("detectron2", detectron2()),
      Configuration("mmdetection", mmdetection),
    ]
  }

  // MARK: - Scenes

  public static let strata = [
    "plain", "crowded", "tiny", "border", "duplicate", "confident", "empty",
  ]

  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<[Image]> {
    let levels = FCOSPoints.sampleLevels(points.isInclusive)
    let truths = (0..<random.integer(1...2)).map { _ in
      let boxes = FCOSPoints.boxes(stratum, using: &random)
      return Image(levels, ImageTruths(boxes, labels: boxes.map { _ in random.integer(0...2) }))
    }
    let places = Image(levels, ImageTruths()).places
    let scale = stratum == "confident" ? 30.0 : 4
    let (images, count) = (truths.count, places.count)
    let distances = (0..<images).flatMap { _ in
      places.flatMap { place in
        (0..<4).map { _ in
          random.uniform(0.2, 3) * (isInStrides ? 1 : place.stride)
        }
      }
    }
    return Scene(
      [
        Tensor(
          [images, count, 3],
          (0..<images * count * 3).map { _ in random.uniform(-scale, scale) }),
        Tensor([images, count, 4], distances),
        Tensor([images, count], (0..<images * count).map { _ in random.uniform(-scale, scale) }),
      ], truths)
  }

  // MARK: - Examples

  public static var worked: [WorkedScene<Self>] {
    let rules = [
      ("FCOS", original), ("torchvision", torchvision), ("detectron2", detectron2()),
      ("mmdetection", mmdetection),
    ]
    return rules.flatMap { name, rule in
      [
        WorkedScene(name, rule, rule.example([0, 1])),
        WorkedScene("\(name), with an empty image", rule, rule.example([0, 1, 2])),
        WorkedScene("\(name), empty", rule, rule.example([2])),
      ]
    }
  }

  /// Strides 8 and 16 of a 32 x 32 image.
  private func example(_ images: [Int]) -> Scene<[Image]> {
    let ranges = points.isInclusive ? [-1.0, 14, 1e8] : [0, 64, .infinity]
    let levels = [
      FCOSPoints.Level(stride: 8, least: ranges[0], most: ranges[1], rows: 4, columns: 4),
      FCOSPoints.Level(stride: 16, least: ranges[1], most: ranges[2], rows: 2, columns: 2),
    ]
    let pixels = pattern([3, 20, 4], 7, 0, 23, -3, 2)
    let distances = isInStrides ? pixels.map { $0 / 8 } : pixels
    let heads = [
      pattern([3, 20, 3], 23, 1, 53, 34, 15), distances, pattern([3, 20], 11, 4, 29, 14, 8),
    ]
    return Scene(
      heads.map { head in Tensor.images(images.map { head.image($0) }, like: head) },
      images.map { Image(levels, DenseExample.truths[$0]) })
  }
}

extension FCOS.Image {
  /// The truths in the opposite order, and given matches with them.
  fileprivate var withTruthsReversed: Self {
    let count = truths.boxes.count
    return Self(
      levels, ImageTruths(truths.boxes.reversed(), labels: truths.labels.reversed()),
      matches: matches?.map { $0 < 0 ? $0 : count - 1 - $0 })
  }
}
