extension DETR {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .invariant(under: "another order of the truths") { _, scene in
      Scene(scene.heads, scene.truths.map(\.reversed))
    },
    .invariant(under: "another order of the queries") { _, scene in
      Scene(scene.heads.map { reversingQueries($0) }, scene.truths)
    },
    .invariant(under: "another order of the images") { _, scene in
      Scene(
        scene.heads.map { Tensor.images($0.images.reversed(), like: $0) }, scene.truths.reversed())
    },
    .invariant(under: "a batch repeated") { _, scene in
      Scene(
        scene.heads.map { Tensor.images($0.images + $0.images, like: $0) },
        scene.truths + scene.truths)
    },
    .invariant(under: "the same number added to a query's logits") { _, scene in
      // Multiples of 1/256 below 64 stay exact.
      guard scene.heads[0].data.allSatisfy({ ($0 * 256).rounded() == $0 * 256 }) else { return nil }
      var heads = scene.heads
      heads[0] = heads[0].map { $0 + 2 }
      return Scene(heads, scene.truths)
    },
    ObjectiveLaw("box and giou are 0 where, matched without class, each truth is predicted exactly")
    {
      objective, scene, answers in
      guard scene.truths.allSatisfy({ $0.boxes.count <= scene.heads[0].shape[1] }) else {
        return .holds
      }
      var heads = scene.heads
      for (image, truths) in scene.truths.enumerated() {
        for (query, box) in truths.boxes.enumerated() {
          let first = heads[1].index(image, query, 0)
          heads[1].data.replaceSubrange(first..<first + 4, with: box.numbers)
        }
      }
      var blind = objective
      blind.classCost = 0
      // An empty box has no overlap with itself.
      guard blind.boxCost > 0, scene.truths.allSatisfy({ $0.boxes.allSatisfy { $0.w * $0.h > 0 } })
      else { return .holds }
      for term in try answers.terms(blind, Scene(heads, scene.truths)).dropFirst() {
        let verdict = Verdict.equal(term, 0)
        guard case .holds = verdict else { return verdict }
      }
      return .holds
    },
    ObjectiveLaw("boxes of queries without a truth have no gradient") {
      objective, scene, answers in
      let decisions = objective.decide(scene.heads, scene.truths)
      let gradient = try answers.gradients(objective, scene)[1]
      for (image, queries) in decisions.queries.enumerated() {
        for query in 0..<scene.heads[0].shape[1] where !queries.contains(query) {
          for k in 0..<4 where gradient[image, query, k] != 0 {
            return .refuted("image \(image), query \(query): \(gradient[image, query, k])")
          }
        }
      }
      return .holds
    },
  ]

  private static func reversingQueries(_ head: Tensor) -> Tensor {
    let (queries, columns) = (head.shape[1], head.columns)
    return Tensor(
      head.shape,
      head.data.indices.map { k in
        let (image, query) = (k / columns / max(1, queries), k / columns % max(1, queries))
        return head[image, queries - 1 - query, k % columns]
      })
  }

  public static var configurations: [Configuration<Self>] {
    var even = Self()
    (even.boxCost, even.giouCost, even.boxWeight, even.giouWeight) = (1, 1, 1, 1)
    even.noObjectWeight = 0.5
    return [Configuration("default", Self()), Configuration("equal weights, no object 0.5", even)]
  }

  public static let strata = ["plain", "crowded", "tiny", "border", "duplicate", "empty", "sure"]

  /// Coordinates are multiples of 1/1024, logits of 1/256: both exact in Float.
  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<Truths> {
    let images = random.integer(1...3)
    let queries = random.integer(4...8)
    let classes = 3
    func place(_ low: Double, _ high: Double) -> Double {
      (random.uniform(low, high) * 1024).rounded() / 1024
    }
    func box() -> CenteredBox<Double> {
      let side = stratum == "tiny" ? 0.01...0.05 : 0.05...0.7
      let edge = stratum == "border" ? 0.0...1.0 : 0.2...0.8
      return CenteredBox(
        cx: place(edge.lowerBound, edge.upperBound), cy: place(edge.lowerBound, edge.upperBound),
        w: place(side.lowerBound, side.upperBound), h: place(side.lowerBound, side.upperBound))
    }
    let truths = (0..<images).map { _ -> CenteredTruths in
      let count: Int
      switch stratum {
      case "empty": count = 0
      case "crowded": count = random.integer(queries - 1...queries + 2)
      default: count = random.integer(0...3)
      }
      var truths = CenteredTruths(
        (0..<count).map { _ in box() },
        labels: (0..<count).map { _ in random.integer(0...classes - 1) })
      if stratum == "duplicate", let first = truths.boxes.first {
        truths.boxes.append(first)
        truths.labels.append(truths.labels[0])
      }
      return truths
    }
    let reach = stratum == "sure" ? 30.0 : 4
    return Scene(
      [
        Tensor(
          [images, queries, classes + 1],
          (0..<images * queries * (classes + 1)).map { _ in
            (random.uniform(-reach, reach) * 256).rounded() / 256
          }),
        Tensor(
          [images, queries, 4], (0..<images * queries).flatMap { _ in box().numbers }),
      ], truths)
  }

  /// Three images with two, one and no truths.
  public static var worked: [WorkedScene<Self>] {
    let heads = [
      pattern([3, 5, 4], 17, 3, 41, 20, 12),
      pattern([3, 5, 4], 13, 2, 29, 0, 1).map { 0.11 + $0 / 40 },
    ]
    let truths = [
      CenteredTruths(rows: [[0.3, 0.35, 0.4, 0.5, 0], [0.6, 0.55, 0.7, 0.6, 2]]),
      CenteredTruths(rows: [[0.7, 0.25, 0.45, 0.3, 1]]), CenteredTruths(),
    ]
    return [
      WorkedScene("worked", Self(), Scene(heads, truths)),
      WorkedScene("without truths", Self(), Scene(heads, truths.map { _ in CenteredTruths() })),
    ]
  }

  // MARK: Dialect

  public static let dialects: [Dialect] = [
    Dialect(
      "detr", "SetCriterion",
      "One decoder layer at 29901c5, with its matcher; the three values carry their weights.",
      inputs: ["pred_logits", "pred_boxes", "batch_idx", "labels", "boxes"],
      parameters: [
        "num_classes", "eos_coef", "cost_class", "cost_bbox", "cost_giou", "weight_dict",
      ]
    ) { call, evaluator in
      let objective = try Self(call)
      let logits = try call.tensor("pred_logits")
      let boxes = try call.tensor("pred_boxes")
      guard logits.shape.count == 3 else {
        throw Refusal.rejected("\"pred_logits\" has shape \(logits.shape); expected [B, Q, C + 1]")
      }
      guard try call.integer("num_classes", default: logits.columns - 1) == logits.columns - 1
      else {
        throw Refusal.rejected("\"pred_logits\" has \(logits.columns) columns; expected C + 1")
      }
      let (truths, rows) = try call.centeredTruths(images: logits.shape[0])
      let scene = Scene([logits, boxes], truths)
      let result = try evaluator.evaluate(objective, scene)
      let matched = rows.map { image, index in
        Double(result.decisions.queries[image][index] ?? -1)
      }
      let classes = result.decisions.classes.flatMap { $0 }.map { Double($0) }
      return Answer(
        Tensor([3], result.terms),
        gradients: ["pred_logits": result.gradients[0], "pred_boxes": result.gradients[1]],
        outputs: [
          "matched_query": Tensor([rows.count], matched),
          "target_classes": Tensor(Array(logits.shape.prefix(2)), classes),
        ])
    }
  ]

  private init(_ call: Call) throws {
    admitsNoObject = true
    noObjectWeight = try call.number("eos_coef", default: 0.1)
    classCost = try call.number("cost_class", default: 1)
    boxCost = try call.number("cost_bbox", default: 5)
    giouCost = try call.number("cost_giou", default: 2)
    let weights = try call.group("weight_dict")
    classWeight = weights["loss_ce"] ?? 1
    boxWeight = weights["loss_bbox"] ?? 5
    giouWeight = weights["loss_giou"] ?? 2
  }
}

extension Call {
  /// Truths given as rows `boxes` [N, 4], with `labels` and the image of each in `batch_idx`; and, for
  /// each row, its image and its place there.
  fileprivate func centeredTruths(
    images: Int
  ) throws -> (truths: [CenteredTruths], rows: [(image: Int, index: Int)]) {
    let boxes = try tensor("boxes")
    guard boxes.shape.count == 2, boxes.columns == 4 else {
      throw Refusal.rejected("\"boxes\" has shape \(boxes.shape); expected [N, 4]")
    }
    let labels = try tensor("labels", like: [boxes.shape[0]])
    let owners = try tensor("batch_idx", like: [boxes.shape[0]])
    var truths = [CenteredTruths](repeating: CenteredTruths(), count: images)
    var rows: [(image: Int, index: Int)] = []
    for i in 0..<boxes.shape[0] {
      guard let image = Int(exactly: owners[i]), truths.indices.contains(image) else {
        throw Refusal.rejected("batch_idx \(i) is \(owners[i]); expected an image below \(images)")
      }
      guard let label = Int(exactly: labels[i]) else {
        throw Refusal.rejected("label \(i) is \(labels[i]); expected a whole number")
      }
      rows.append((image, truths[image].boxes.count))
      truths[image].boxes.append(CenteredBox(boxes.data[4 * i..<4 * i + 4]))
      truths[image].labels.append(label)
    }
    return (truths, rows)
  }
}
