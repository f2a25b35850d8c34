extension MaskRCNN {
  /// detectron2's: the background is the class after the last; masks are hard.
  public static func detectron2(classes: Int) -> Self {
    var rules = Self()
    rules.rpn = .detectron2()
    rules.regions = .detectron2(classes: classes)
    rules.head = FastRCNN.detectron2Rules
    rules.maskRule = .hard
    return rules
  }

  /// Matterport's, with as many regions an image as named, of which padding is a part.
  public static func matterport(regions: Int = 200) -> Self {
    var rules = Self()
    rules.rpn = .matterport
    rules.regions = .matterport
    rules.regions.sampler.quota = regions
    rules.regions.paddedRows = regions
    rules.regionCoder = BoxDeltas(.yx, deviations: [0.1, 0.1, 0.2, 0.2])
    rules.normalizesRegions = true
    rules.head = FastRCNN.matterportRules
    rules.mask = MaskHead.matterportRules
    rules.maskRule = .crop
    rules.maskRows = .all
    return rules
  }

  /// What ports to Keras use: binary cross-entropy of a logit and Huber's loss in the first stage, and
  /// categorical cross-entropy of logits for classes and masks; every row counts.
  public static func keras(regions: Int = 200) -> Self {
    var rules = matterport(regions: regions)
    rules.rpn = .keras(fromLogits: true)
    rules.head.counting = .all
    rules.mask = MaskHead.categoricalRules
    return rules
  }

  public static var configurations: [Configuration<Self>] {
    var weighted = Self()
    weighted.gains = [2, 0.75, 1.5, 0.25, 0]
    return [
      Configuration("default", Self()),
      Configuration("detectron2", detectron2(classes: 3)),
      Configuration("Matterport, 12 regions", matterport(regions: 12)),
      Configuration("Keras, 12 regions", keras(regions: 12)),
      Configuration("gains 2, 0.75, 1.5, 0.25, 0", weighted),
    ]
  }

  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    ObjectiveLaw("the terms of RPN, FastRCNN and MaskHead, times the gains") {
      objective, scene, answers in
      let heads = scene.heads
      let decisions = objective.decide(heads, scene.truths)
      let parts =
        try answers.terms(
          objective.rpn, Scene(Array(heads[..<2]), objective.supervision(scene.truths)))
        + answers.terms(objective.head, Scene(Array(heads[2..<4]), decisions.regions))
        + answers.terms(objective.mask, Scene([heads[4]], decisions.masks))
      for (k, term) in try answers.terms(objective, scene).enumerated() {
        let verdict = Verdict.equal(Interval(objective.gains[k]) * parts[k], term)
        if verdict != .holds { return verdict }
      }
      return .holds
    },
    ObjectiveLaw("twice a gain: twice its head's gradient; a gain of 0: none") {
      objective, scene, answers in
      var doubled = objective
      doubled.gains = objective.gains.map { 2 * $0 }
      let once = try answers.gradients(objective, scene)
      for (k, twice) in try answers.gradients(doubled, scene).enumerated() {
        let scale = once[k].data.map(\.magnitude).max() ?? 0
        for (a, b) in zip(once[k].data, twice.data) where (2 * a - b).magnitude > 0x1p-18 * scale {
          return .refuted("\(objective.heads[k]): \(a) becomes \(b)")
        }
        if objective.gains[k] == 0, scale != 0 { return .refuted("\(scale) at a gain of 0") }
      }
      return .holds
    },
    ObjectiveLaw("background and padding have no gradient in boxes and masks") {
      objective, scene, answers in
      let gradients = try answers.gradients(objective, scene)
      let owners = objective.decide(scene.heads, scene.truths).matchings.flatMap(\.owners)
      for (row, owner) in owners.enumerated() where owner == nil {
        let heads = objective.maskRows == .all ? [3, 4] : [3]
        for k in heads where gradients[k].plane(row).data.contains(where: { $0 != 0 }) {
          return .refuted("row \(row) of \(objective.heads[k])")
        }
      }
      return .holds
    },
    ObjectiveLaw("without truths: no gradient in boxes and masks of either stage") {
      objective, scene, answers in
      guard scene.truths.images.allSatisfy({ $0.truths.boxes.isEmpty }) else { return .holds }
      let gradients = try answers.gradients(objective, scene)
      return [1, 3, 4].allSatisfy { gradients[$0].data.allSatisfy { $0 == 0 } }
        ? .holds : .refuted("a gradient without truths")
    },
  ]

  // MARK: - Scenes

  public static let strata = ["plain", "crowded", "saturated", "empty"]

  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<Truths> {
    let images = (0..<random.integer(1...2)).map { _ in
      Self.image(stratum, background: regions.background, using: &random)
    }
    let truths = Truths(
      anchors: RCNNExample.anchors, images: images, active: [Bool](repeating: true, count: 4))
    let owners = images.flatMap { regions.optimized(problem($0)).owners }
    let rows = owners.count
    let masked = maskRows == .all ? rows : owners.count { $0 != nil }
    let groups = head.boxColumns == .all ? 4 : 3
    let scale = stratum == "saturated" ? 30.0 : 4
    func numbers(_ shape: [Int], _ scale: Double) -> Tensor {
      Tensor(shape, (0..<shape.reduce(1, *)).map { _ in random.uniform(-scale, scale) })
    }
    let pairs = rpn.classification == .softmax ? [2] : []
    var masks = numbers([masked, 4, 4, 4], scale)
    if case .probabilities = mask.cost {
      masks = masks.map { 0.5 + 0.45 * $0 / scale }
    }
    return Scene(
      [
        numbers([images.count, 15] + pairs, scale), numbers([images.count, 15, 4], 2),
        numbers([rows, 4], scale), numbers([rows, 4 * groups], 2), masks,
      ], truths)
  }

  /// An image of 32 x 32 pixels: truths in eighths of a pixel, masks of ellipses, proposals near them.
  private static func image(
    _ stratum: String, background: Int, using random: inout SplitMix
  ) -> Image {
    let count = stratum == "empty" ? 0 : random.integer(stratum == "crowded" ? 3...4 : 1...2)
    let classes = (0...3).filter { $0 != background }
    func box() -> Box<Double> {
      let (x, y) = (random.integer(0...120), random.integer(0...120))
      let (w, h) = (random.integer(64...128), random.integer(64...128))
      return Box([x, y, x + w, y + h].map { Double($0) / 8 })
    }
    let boxes = (0..<count).map { _ in box() }
    let near = boxes.map { box in
      Box(
        x1: box.x1, y1: box.y1 + Double(random.integer(0...8)) / 8,
        x2: box.x2 - Double(random.integer(0...8)) / 8, y2: box.y2)
    }
    let far = (0..<random.integer(2...4)).map { _ in box() }
    let masks = boxes.map { box in
      Tensor(
        [32, 32],
        (0..<1024).map { k in
          let u = (2 * Double(k % 32) + 1 - box.x1 - box.x2) / box.width
          let v = (2 * Double(k / 32) + 1 - box.y1 - box.y2) / box.height
          return u * u + v * v <= 1 ? 1 : 0
        })
    }
    return Image(
      ImageTruths(boxes, labels: boxes.map { _ in random.pick(classes) }), masks: masks,
      proposals: near + far, height: 32, width: 32, seed: random.next())
  }
}

// MARK: - Example

extension MaskRCNN {
  public static var worked: [WorkedScene<Self>] {
    let pixels = RCNNExample.heads(11)
    let channels = RCNNExample.torchvision.channels
    let foreground = pixels.masks.planes(channels.indices.filter { channels[$0] != nil })
    let cropped = RCNNExample.matterportHeads(16)
    let objectness = pattern([3, 15], 7, 3, 31, 15, 8)
    let pairs = pattern([3, 15, 2], 11, 2, 37, 18, 9)
    let deltas = pattern([3, 15, 4], 13, 5, 41, 20, 30)
    func firstTwo(_ head: Tensor) -> Tensor { head.planes([0, 1]) }
    return [
      WorkedScene(
        "torchvision", Self(),
        Scene(
          [firstTwo(objectness), firstTwo(deltas), pixels.logits, pixels.deltas, foreground],
          workedTruths)),
      WorkedScene(
        "Matterport", .matterport(regions: 8),
        Scene(
          [firstTwo(pairs), firstTwo(deltas), cropped.logits, cropped.deltas, cropped.masks],
          workedTruths)),
    ]
  }

  /// The first two images of the two-stage example.
  private static var workedTruths: Truths {
    Truths(
      anchors: RCNNExample.anchors,
      images: [0, 1].map { image in
        Image(
          RCNNExample.truths[image], masks: RCNNExample.masks[image],
          proposals: RCNNExample.proposals[image], height: 32, width: 32)
      }, active: [true, true, true, true])
  }
}
