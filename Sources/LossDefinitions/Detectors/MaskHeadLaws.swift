extension MaskHead {
  /// Matterport's rules.
  public static let matterportRules = Self(.probabilities(epsilon: 1e-7), .channelsLast)
  /// Categorical cross-entropy of each pixel's channels, the first of them the background's.
  public static let categoricalRules = Self(.softmax(background: 0), .channelsLast)

  public static var configurations: [Configuration<Self>] {
    var weighted = Self()
    weighted.gain = 2.5
    return [
      Configuration("default", Self()), Configuration("Matterport", matterportRules),
      Configuration("softmax over the channels", categoricalRules),
      Configuration("gain 2.5", weighted),
    ]
  }

  static let torchvision = Dialect(
    "torchvision", "maskrcnn_loss",
    """
    One image; row i's target is the unaligned RoIAlign of truth `mask_matched_idxs[i]`'s mask over \
    proposal i, not rounded, against the channel of that truth's label.
    """,
    inputs: ["mask_logits", "proposals", "gt_masks", "gt_labels", "mask_matched_idxs"],
    parameters: ["roi_align"]
  ) { call, evaluator in
    try call.expect(
      "roi_align", .text("output M x M, scale 1, sampling_ratio -1, aligned False"))
    let head = try call.tensor("mask_logits")
    let masks = try call.tensor("gt_masks")
    let labels = try call.classes("gt_labels")
    let matched = try call.classes("mask_matched_idxs")
    let boxes = try call.corners("proposals")
    guard head.shape.count == 4, masks.shape.count == 3, masks.shape[0] == labels.count,
      matched.count == boxes.count, matched.allSatisfy(labels.indices.contains)
    else {
      throw Refusal.rejected("the numbers of labels, masks, proposals and matches do not agree")
    }
    let (rows, columns) = (head.shape[2], head.shape[3])
    let targets = zip(boxes, matched).flatMap { box, truth in
      RoIAlign(isAligned: false)(masks.plane(truth), box, rows: rows, columns: columns)
    }
    let truths = Truths(
      channels: matched.map { labels[$0] }, masks: Tensor([boxes.count, rows, columns], targets))
    let result = try evaluator.evaluate(Self(), Scene([head], truths))
    return Answer(Tensor([], result.terms), gradients: ["mask_logits": result.gradients[0]])
  }

  static let matterport = Dialect(
    "matterport-mask-rcnn", "mrcnn_mask_loss",
    """
    Probabilities, clipped to [1e-7, 1 − 1e-7] without slope outside, channels last; the mean over \
    the rows of all images whose class is not 0; 0 if there are none.
    """, inputs: ["target_masks", "target_class_ids", "pred_masks"]
  ) { call, evaluator in
    let head = try call.tensor("pred_masks")
    let labels = try call.classes("target_class_ids")
    let masks = try call.tensor("target_masks")
    guard head.shape.count == 5, masks.shape == Array(head.shape.prefix(4)) else {
      throw Refusal.rejected(
        "\"pred_masks\" has shape \(head.shape), \"target_masks\" \(masks.shape); "
          + "expected [B, R, H, W, C] and [B, R, H, W]")
    }
    let (h, w, channels) = (head.shape[2], head.shape[3], head.shape[4])
    let truths = Truths(
      channels: labels.map { $0 > 0 ? $0 : nil }, masks: Tensor([labels.count, h, w], masks.data))
    let result = try evaluator.evaluate(
      matterportRules, Scene([Tensor([labels.count, h, w, channels], head.data)], truths))
    return Answer(
      Tensor([], result.terms),
      gradients: ["pred_masks": Tensor(head.shape, result.gradients[0].data)])
  }

  // MARK: - Laws

  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .invariant(under: "another order of the rows") { _, scene in
      scene.maskRows((0..<scene.truths.channels.count).reversed())
    },
    .invariant(under: "all rows twice") { _, scene in
      let rows = Array(0..<scene.truths.channels.count)
      return scene.maskRows(rows + rows)
    },
    .invariant(under: "other numbers in the channels of other classes, without softmax") {
      objective, scene in
      if case .softmax = objective.cost { return nil }
      var other = scene
      for k in objective.unread(scene) { other.heads[0].data[k] = 0.5 }
      return other
    },
    ObjectiveLaw("no gradient but in the channel of a row's class, without softmax") {
      objective, scene, answers in
      if case .softmax = objective.cost { return .holds }
      let gradient = try answers.gradients(objective, scene)[0]
      for k in objective.unread(scene) where gradient.data[k] != 0 {
        return .refuted("\(gradient.data[k]) at entry \(k)")
      }
      return .holds
    },
    ObjectiveLaw("of logits: at least the gain times the mean entropy of the targets") {
      objective, scene, answers in
      guard objective.cost == .logits else { return .holds }
      let targets = objective.decide(scene.heads, scene.truths).rows
        .flatMap { scene.truths.pixels($0) }
      let entropies = targets.map { t in
        let t = Interval<DoubleDouble>(t)
        return .weighted(t, -.log(t)) + .weighted(1 - t, -.log(1 - t))
      }
      let mean = Interval.sum(entropies) / Interval(Double(max(1, targets.count)))
      return .atLeast(try answers.terms(objective, scene)[0], Interval(objective.gain) * mean)
    },
    ObjectiveLaw("of logits: unchanged where every logit is negated and every target t is 1 − t") {
      objective, scene, answers in
      guard objective.cost == .logits,
        scene.truths.masks.data.allSatisfy({ 1 - (1 - $0) == $0 })
      else { return .holds }
      var mirrored = scene
      mirrored.heads[0] = scene.heads[0].map { -$0 }
      mirrored.truths.masks = scene.truths.masks.map { 1 - $0 }
      return .equal(
        try answers.terms(objective, scene)[0], try answers.terms(objective, mirrored)[0])
    },
  ]

  /// Where the numbers of the head are that the term does not read.
  private func unread(_ scene: Scene<Truths>) -> [Int] {
    let read = places(scene.heads[0].shape, scene.truths, decide(scene.heads, scene.truths))
    return Set(scene.heads[0].data.indices).subtracting(read).sorted()
  }

  // MARK: - Scenes

  public static let strata = ["plain", "soft", "hard", "saturated", "none", "single", "empty"]

  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<Truths> {
    let rows = stratum == "empty" ? 0 : stratum == "single" ? 1 : random.integer(2...6)
    let (h, w) = (random.integer(1...6), random.integer(1...6))
    let channels = 4
    let classes: [Int?] = (0..<rows).map { _ in
      stratum == "none" || stratum == "plain" && random.chance(0.4)
        ? nil : random.integer(1...channels - 1)
    }
    let masks = (0..<rows * h * w).map { _ in
      switch stratum {
      case "soft": random.uniform(0, 1)
      case "hard", "saturated": random.chance(0.5) ? 1.0 : 0
      default: Double(random.integer(0...64)) / 64
      }
    }
    let scale = stratum == "saturated" ? 30.0 : 4
    let numbers = (0..<rows * h * w * channels).map { _ in
      switch cost {
      case .logits, .softmax: random.uniform(-scale, scale)
      case .probabilities:
        // A saturated one is exactly 0 or 1, so that no clip is near.
        stratum == "saturated" && random.chance(0.2)
          ? Double(random.integer(0...1)) : random.uniform(0.01, 0.99)
      }
    }
    let shape = layout == .channelsFirst ? [rows, channels, h, w] : [rows, h, w, channels]
    return Scene(
      [Tensor(shape, numbers)], Truths(channels: classes, masks: Tensor([rows, h, w], masks)))
  }
}

extension MaskHead.Truths {
  /// The target pixels of a row.
  func pixels(_ row: Int) -> ArraySlice<Double> {
    let each = masks.shape[1] * masks.shape[2]
    return masks.data[row * each..<(row + 1) * each]
  }
}

extension Tensor {
  /// Plane i of a stack: its shape without the first axis.
  func plane(_ i: Int) -> Tensor {
    let each = shape.dropFirst().reduce(1, *)
    return Tensor(Array(shape.dropFirst()), Array(data[i * each..<(i + 1) * each]))
  }

  /// The planes named, in that order.
  func planes(_ order: [Int]) -> Tensor {
    Tensor([order.count] + shape.dropFirst(), order.flatMap { plane($0).data })
  }
}

extension Scene where Truths == MaskHead.Truths {
  /// The rows named, in that order.
  func maskRows(_ order: some Sequence<Int>) -> Scene {
    let order = Array(order)
    return Scene(
      heads.map { $0.planes(order) },
      MaskHead.Truths(
        channels: order.map { truths.channels[$0] }, masks: truths.masks.planes(order)))
  }
}
