extension PositiveNegative {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .invariant(under: "another order of an image's truths, no two overlaps alike") {
      objective, scene in
      objective.hasTies(scene) ? nil : scene.withReversedTruths
    },
    .invariant(under: "another order of the images") { _, scene in scene.reversed },
    .invariant(under: "translation of truths and boxes together") { _, scene in
      scene.moved(by: 1024)
    },
    ObjectiveLaw("with N = 1, the sum over the images of each alone") {
      objective, scene, answers in
      guard objective.normalizer == .one else { return .holds }
      let whole = try answers.terms(objective, scene)
      let parts = try scene.images.map { try answers.terms(objective, $0) }
      for (k, term) in whole.enumerated() {
        let verdict = Verdict.equal(term, .sum(parts.map { $0[k] }))
        if verdict != .holds { return verdict }
      }
      return .holds
    },
    ObjectiveLaw("no gradient in the boxes of negatives") { objective, scene, answers in
      let owners = objective.decide(scene.heads, scene.truths).joined()
      let boxes = try answers.gradients(objective, scene)[1]
      for (row, owner) in owners.enumerated() where owner == nil {
        guard boxes.data[4 * row..<4 * row + 4].allSatisfy({ $0 == 0 }) else {
          return .refuted("prediction \(row) is negative, and its box has a gradient")
        }
      }
      return .holds
    },
    ObjectiveLaw("the gradient in a prediction's logits sums to 0") {
      objective, scene, answers in
      let logits = try answers.gradients(objective, scene)[0]
      for row in 0..<logits.data.count / logits.columns {
        let slopes = logits.data[row * logits.columns..<(row + 1) * logits.columns]
        let largest = slopes.map(\.magnitude).max() ?? 0
        guard slopes.reduce(0, +).magnitude <= 0x1p-20 * largest else {
          return .refuted("\(slopes.reduce(0, +)) at prediction \(row)")
        }
      }
      return .holds
    },
  ]

  public static var configurations: [Configuration<Self>] {
    var squared = Self()
    squared.localization = .squaredError
    var mean = Self()
    mean.picks = 3
    mean.normalizer = .positives
    var product = Self()
    product.beta = 1
    product.localization = .smoothL1(beta: 0)
    return [
      Configuration("default", Self()),
      Configuration("squared error", squared),
      Configuration("k = 3, over the positives", mean),
      Configuration("beta = 1, absolute error", product),
    ]
  }

  // MARK: - Scenes

  public static let strata = ["plain", "crowded", "tiny", "duplicate", "confident", "empty"]

  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<[ImageTruths]> {
    let images = random.integer(1...3)
    let predictions = random.integer(stratum == "crowded" ? 12...24 : 3...16)
    let classes = 3
    let scale = stratum == "confident" ? 30.0 : 4
    let truths = (0..<images).map { image in
      Self.truths(stratum, image, classes, using: &random)
    }
    let logits = (0..<images * predictions * (classes + 1)).map { _ in
      random.uniform(-scale, scale)
    }
    let boxes = truths.flatMap { truth in
      (0..<predictions).flatMap { _ in
        // Three of four predictions are near a truth.
        guard let near = truth.boxes.randomElement(using: &random), random.chance(0.75) else {
          return Self.box(8...64, using: &random).corners
        }
        let reach = max(1, Int(near.width))
        return near.corners.enumerated().map { k, x in
          let away = k < 2 ? -1.0 : 1
          return x + away * Double(random.integer(0...reach)) / 8
        }
      }
    }
    return Scene(
      [
        Tensor([images, predictions, classes + 1], logits),
        Tensor([images, predictions, 4], boxes),
      ], truths)
  }

  private static func truths(
    _ stratum: String, _ image: Int, _ classes: Int, using random: inout SplitMix
  ) -> ImageTruths {
    let most =
      switch stratum {
      case "empty": image == 0 ? 0 : 1
      case "crowded": 5
      default: 3
      }
    var truths = ImageTruths()
    for _ in 0..<random.integer(0...most) {
      truths.boxes.append(Self.box(stratum == "tiny" ? 1...8 : 16...96, using: &random))
      truths.labels.append(random.integer(0...classes - 1))
    }
    if stratum == "duplicate", let box = truths.boxes.first {
      truths.boxes.append(box)
      truths.labels.append(truths.labels[0])
    }
    return truths
  }

  /// A box within 64 x 64 or across its border; sides in eighths.
  private static func box(_ sides: ClosedRange<Int>, using random: inout SplitMix) -> Box<Double> {
    let (x, y) = (Double(random.integer(-64...448)) / 8, Double(random.integer(-64...448)) / 8)
    return Box(
      x1: x, y1: y, x2: x + Double(random.integer(sides)) / 8,
      y2: y + Double(random.integer(sides)) / 8)
  }
}

extension Box where Number == Double {
  var corners: [Double] { [x1, y1, x2, y2] }
}

extension PositiveNegative {
  /// Whether a prediction overlaps two truths of an image alike, which are not the same truth.
  private func hasTies(_ scene: Scene<[ImageTruths]>) -> Bool {
    for (image, truths) in scene.truths.enumerated() {
      let overlaps = overlaps(scene.heads[1], truths, image)
      for g in overlaps.indices {
        for h in 0..<g
        where truths.boxes[g] != truths.boxes[h] || truths.labels[g] != truths.labels[h] {
          if zip(overlaps[g], overlaps[h]).contains(where: { $0 == $1 && $0 > 0 }) { return true }
        }
      }
    }
    return false
  }

  // MARK: - Examples

  /// Worked by hand in the chapter: two predictions learn, the third is a confident duplicate.
  public static var worked: [WorkedScene<Self>] {
    let scene = Scene(
      [
        Tensor([1, 3, 3], [1, 0, 0, 0, 2, 0, 3, 0, 0]),
        Tensor([1, 3, 4], [0, 0, 4, 3.5, 6, 3.5, 10, 8, 0, 0, 4, 3]),
      ],
      [
        ImageTruths(
          [Box(x1: 0, y1: 0, x2: 4, y2: 4), Box(x1: 6, y1: 2, x2: 10, y2: 8)], labels: [0, 1])
      ])
    var squared = Self()
    squared.localization = .squaredError
    var product = Self()
    product.beta = 1
    return [
      WorkedScene("worked", Self(), scene),
      WorkedScene("squared error", squared, scene),
      WorkedScene("plain product", product, scene),
    ]
  }
}

extension Scene where Truths == [ImageTruths] {
  /// Truths and boxes moved along both axes; nil where a corner would be rounded, in Float.
  fileprivate func moved(by distance: Double) -> Scene? {
    var truths = truths
    for image in truths.indices {
      truths[image].boxes = truths[image].boxes.map {
        Box(
          x1: $0.x1 + distance, y1: $0.y1 + distance, x2: $0.x2 + distance, y2: $0.y2 + distance)
      }
    }
    let corners = heads[1].data + self.truths.flatMap { $0.boxes.flatMap(\.corners) }
    guard corners.allSatisfy({ Double(Float($0 + distance)) - distance == $0 }) else { return nil }
    return Scene([heads[0], heads[1].map { $0 + distance }], truths)
  }
}
