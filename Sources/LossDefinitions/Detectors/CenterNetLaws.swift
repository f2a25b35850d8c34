extension CenterNet {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .invariant(under: "another order of an image's truths") { _, scene in
      scene.withReversedTruths
    },
    .invariant(under: "another order of the images") { _, scene in scene.reversed },
    ObjectiveLaw("without truths size and offset are 0, and heatmap is the sum over the images") {
      objective, scene, answers in
      let bare = Scene(scene.heads, scene.truths.map { _ in ImageTruths() })
      let batch = try answers.terms(objective, bare)
      for term in batch.dropFirst() {
        if case .refuted(let why) = Verdict.equal(term, 0) { return .refuted(why) }
      }
      let single = try bare.images.map { try answers.terms(objective, $0)[0] }
      return .equal(batch[0], .sum(single))
    },
    ObjectiveLaw("size and offset are 0 where they are predicted exactly, one object a pixel") {
      objective, scene, answers in
      var exact = scene
      var places: Set<Int> = []
      for object in objective.decide(scene.heads, scene.truths).objects {
        for k in 0..<2 {
          let place = scene.heads[1].index(object.image, k, object.y, object.x)
          guard places.insert(place).inserted else { return .holds }
          exact.heads[1].data[place] = object.size[k]
          exact.heads[2].data[place] = object.offset[k]
        }
      }
      for term in try answers.terms(objective, exact).dropFirst() {
        let verdict = Verdict.equal(term, 0)
        guard case .holds = verdict else { return verdict }
      }
      return .holds
    },
    ObjectiveLaw("no gradient in size and offset but at the objects' pixels, nor in clipped logits")
    {
      objective, scene, answers in
      let gradients = try answers.gradients(objective, scene)
      let objects = objective.decide(scene.heads, scene.truths).objects
      let centers = Set(
        objects.flatMap { object in
          (0..<2).map { scene.heads[1].index(object.image, $0, object.y, object.x) }
        })
      for head in 1...2 {
        for (place, slope) in gradients[head].data.enumerated()
        where slope != 0 && !centers.contains(place) {
          return .refuted("\(objective.heads[head]), entry \(place): \(slope)")
        }
      }
      for (logit, slope) in zip(scene.heads[0].data, gradients[0].data)
      where logit.magnitude > 10 && objective.probabilityFloor > 5e-5 && slope != 0 {
        return .refuted("logit \(logit): \(slope)")
      }
      return .holds
    },
    ObjectiveLaw("raising a logit whose target is below 1 does not lower heatmap") {
      objective, scene, answers in
      let heatmap = objective.decide(scene.heads, scene.truths).heatmap
      guard let place = heatmap.data.firstIndex(where: { $0 < 1 }) else { return .holds }
      var raised = scene
      raised.heads[0].data[place] += 1
      return .atLeast(
        try answers.terms(objective, raised)[0], try answers.terms(objective, scene)[0])
    },
  ]

  public static var configurations: [Configuration<Self>] {
    var corrected = Self()
    (corrected.radiusRule, corrected.minimumOverlap) = (.corrected, 0.3)
    var even = Self()
    even.sizeWeight = 1
    return [
      Configuration("default", Self()), Configuration("size weight 1", even),
      Configuration("corrected radius, overlap 0.3", corrected),
    ]
  }

  public static let strata = [
    "plain", "crowded", "tiny", "border", "duplicate", "degenerate", "empty", "sure",
  ]

  /// Truths are on a grid of 1/8, the heads on one of 1/256.
  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<Truths> {
    let images = random.integer(1...2)
    let classes = random.integer(1...3)
    let (height, width) = (random.integer(4...9), random.integer(4...9))
    func coordinate(_ low: Double, _ high: Double) -> Double {
      (random.uniform(low, high) * 8).rounded() / 8
    }
    func interval(_ extent: Int) -> (Double, Double) {
      let most = Double(extent - 1)
      switch stratum {
      case "tiny":
        let low = coordinate(0, most - 1)
        return (low, low + 0.125 * Double(random.integer(1...6)))
      case "border":
        let low = coordinate(-3, most + 1)
        return (low, low + coordinate(0.5, 5))
      case "degenerate":
        let low = coordinate(-1, most)
        return (low, low + (random.chance(0.4) ? 0 : coordinate(0, 3)))
      default:
        let low = coordinate(0, most - 1)
        return (low, Swift.max(low + 0.5, coordinate(low, most)))
      }
    }
    let truths = (0..<images).map { _ -> ImageTruths in
      let count = stratum == "empty" ? 0 : stratum == "crowded" ? 8 : random.integer(0...4)
      var truths = ImageTruths()
      for _ in 0..<count {
        let (x, y) = (interval(width), interval(height))
        truths.boxes.append(Box(x1: x.0, y1: y.0, x2: x.1, y2: y.1))
        truths.labels.append(random.integer(0...classes - 1))
      }
      if stratum == "duplicate", let first = truths.boxes.first {
        truths.boxes.append(first)
        truths.labels.append(truths.labels[0])
      }
      return truths
    }
    let reach = stratum == "sure" ? 30.0 : 4
    func head(_ channels: Int, _ low: Double, _ high: Double) -> Tensor {
      let shape = [images, channels, height, width]
      return Tensor(
        shape,
        (0..<shape.reduce(1, *)).map { _ in (random.uniform(low, high) * 256).rounded() / 256 })
    }
    return Scene([head(classes, -reach, reach), head(2, 0, 6), head(2, -0.25, 1.25)], truths)
  }

  /// Two images, the first with three objects.
  public static var worked: [WorkedScene<Self>] {
    let heads = [
      pattern([2, 3, 8, 8], 19, 5, 67, 44, 15), pattern([2, 2, 8, 8], 11, 1, 37, 6, 5),
      pattern([2, 2, 8, 8], 7, 3, 23, 5, 20),
    ]
    let truths = ImageTruths(
      [
        Box(x1: 0.5, y1: 1.25, x2: 5.75, y2: 6.5), Box(x1: 3.25, y1: 2, x2: 6.75, y2: 5.5),
        Box(x1: 6, y1: 0.25, x2: 7.5, y2: 1.5),
      ], labels: [1, 2, 1])
    return [
      WorkedScene("worked", Self(), Scene(heads, [truths, ImageTruths()])),
      WorkedScene("without truths", Self(), Scene(heads, [ImageTruths(), ImageTruths()])),
    ]
  }

  // MARK: Dialect

  public static let dialects: [Dialect] = [
    Dialect(
      "centernet", "CtdetLoss",
      "At 4c50fd3, targets in double precision, boxes on the output's grid; the values are weighted.",
      inputs: ["hm", "wh", "reg", "batch_idx", "cls", "bboxes"],
      parameters: [
        "num_classes", "output_size", "hm_weight", "wh_weight", "off_weight", "min_overlap",
        "radius",
      ]
    ) { call, evaluator in
      let hm = try call.tensor("hm")
      guard hm.shape.count == 4 else {
        throw Refusal.rejected("\"hm\" has shape \(hm.shape); expected [B, C, H, W]")
      }
      try call.expect("num_classes", .number(Double(hm.shape[1])))
      try call.expect("output_size", .list(hm.shape[2...].map { .number(Double($0)) }))
      try call.expect("radius", .text("legacy: (b + sqrt(disc)) / 2 for all three roots"))
      var objective = Self()
      objective.minimumOverlap = try call.number("min_overlap", default: 0.7)
      objective.heatmapWeight = try call.number("hm_weight", default: 1)
      objective.sizeWeight = try call.number("wh_weight", default: 0.1)
      objective.offsetWeight = try call.number("off_weight", default: 1)

      let (truths, rows) = try call.outputTruths(images: hm.shape[0])
      let heads = [hm, try call.tensor("wh"), try call.tensor("reg")]
      let result = try evaluator.evaluate(objective, Scene(heads, truths))
      // A truth of which nothing is left keeps the zeros of the peer's arrays.
      var (centers, radii) = (rows.map { _ in 0.0 }, rows.map { _ in 0.0 })
      for object in result.decisions.objects {
        guard let row = rows.firstIndex(where: { $0 == (object.image, object.index) }) else {
          continue
        }
        centers[row] = Double(object.y * hm.shape[3] + object.x)
        radii[row] = Double(object.radius)
      }
      return Answer(
        Tensor([3], result.terms),
        gradients: [
          "hm": result.gradients[0], "wh": result.gradients[1], "reg": result.gradients[2],
        ],
        outputs: [
          "heatmap": result.decisions.heatmap, "ind": Tensor([rows.count], centers),
          "radius": Tensor([rows.count], radii),
        ])
    }
  ]
}

extension Call {
  /// Truths given as rows `bboxes` [N, 4] by corners, with `cls` and the image of each in `batch_idx`;
  /// and, for each row, its image and its place there.
  fileprivate func outputTruths(
    images: Int
  ) throws -> (truths: [ImageTruths], rows: [(image: Int, index: Int)]) {
    let boxes = try tensor("bboxes")
    guard boxes.shape.count == 2, boxes.columns == 4 else {
      throw Refusal.rejected("\"bboxes\" has shape \(boxes.shape); expected [N, 4]")
    }
    let labels = try tensor("cls", like: [boxes.shape[0]])
    let owners = try tensor("batch_idx", like: [boxes.shape[0]])
    var truths = [ImageTruths](repeating: ImageTruths(), count: images)
    var rows: [(image: Int, index: Int)] = []
    for i in 0..<boxes.shape[0] {
      guard let image = Int(exactly: owners[i]), truths.indices.contains(image) else {
        throw Refusal.rejected("batch_idx \(i) is \(owners[i]); expected an image below \(images)")
      }
      guard let label = Int(exactly: labels[i]) else {
        throw Refusal.rejected("cls \(i) is \(labels[i]); expected a whole number")
      }
      rows.append((image, truths[image].boxes.count))
      truths[image].boxes.append(Box(Array(boxes.data[4 * i..<4 * i + 4])))
      truths[image].labels.append(label)
    }
    return (truths, rows)
  }
}
