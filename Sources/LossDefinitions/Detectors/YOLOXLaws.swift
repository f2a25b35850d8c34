extension YOLOX {
  public static let laws: [ObjectiveLaw<Self>] = [
    .nonNegative,
    .invariant(
      under: "another order of the truths, if no prediction costs two truths the same"
    ) { objective, scene in
      let matchings = objective.decide(scene.heads, scene.truths).matchings
      guard !matchings.contains(where: \.hasTies) else { return nil }
      return Scene(scene.heads, scene.truths.map(\.reversed))
    },
    .invariant(under: "another order of the images") { _, scene in
      Scene(
        scene.heads.map { Tensor.images($0.images.reversed(), like: $0) }, scene.truths.reversed())
    },
    .invariant(under: "a batch repeated, if it has a truth with a candidate") { objective, scene in
      guard !objective.decide(scene.heads, scene.truths).foreground.isEmpty else { return nil }
      return Scene(
        scene.heads.map { Tensor.images($0.images + $0.images, like: $0) },
        scene.truths + scene.truths)
    },
    ObjectiveLaw("without truths objectness alone, the sum over the images") {
      objective, scene, answers in
      let bare = Scene(scene.heads, scene.truths.map { _ in CenteredTruths() })
      let batch = try answers.terms(objective, bare)
      for term in [batch[0], batch[2], batch[3]] {
        if case .refuted(let why) = Verdict.equal(term, 0) { return .refuted(why) }
      }
      let single = try bare.truths.indices.map { image in
        let alone = Scene(bare.heads.map { $0.image(image) }, [CenteredTruths()])
        return try answers.terms(objective, alone)[1]
      }
      return .equal(batch[1], .sum(single))
    },
    ObjectiveLaw("class ≥ Σ H(IoU) / N, with H(t) = −t ln t − (1 − t) ln(1 − t)") {
      objective, scene, answers in
      let entropies = objective.overlaps(scene).map { t in
        t > 0 && t < 1 ? -t * Double.log(t) - (1 - t) * Double.log1p(-t) : 0
      }
      let least = entropies.reduce(0, +) / Double(max(1, entropies.count))
      return .atLeast(
        try answers.terms(objective, scene)[2], Interval(least * (1 - 0x1p-40)))
    },
    ObjectiveLaw("background has no gradient but in its objectness") { objective, scene, answers in
      let decisions = objective.decide(scene.heads, scene.truths)
      let gradients = try answers.gradients(objective, scene)
      for (level, (head, gradient)) in zip(scene.heads, gradients).enumerated() {
        let owned = Set(
          decisions.foreground.filter { $0.level == level }.map {
            head.index($0.image, $0.y, $0.x, 0) / head.columns
          })
        for (k, slope) in gradient.data.enumerated()
        where k % head.columns != 4 && slope != 0 && !owned.contains(k / head.columns) {
          return .refuted("level \(level), entry \(k): \(slope)")
        }
      }
      return .holds
    },
  ]

  /// What each prediction with a truth overlaps of it.
  private func overlaps(_ scene: Scene<Truths>) -> [Double] {
    decide(scene.heads, scene.truths).matchings.flatMap { matching in
      matching.owners.enumerated().compactMap { a, owner in
        owner.flatMap { g in
          matching.candidates.firstIndex(of: a).map { matching.overlaps[g][$0] }
        }
      }
    }
  }

  public static var configurations: [Configuration<Self>] {
    var early = Self(strides: [8, 16])
    early.usesL1 = false
    var older = Self()
    (older.assignment.window, older.assignment.radius) = (.boxOrCenter, 2.5)
    return [
      Configuration("default", Self()), Configuration("strides 8 and 16, without L1", early),
      Configuration("window = boxOrCenter, radius = 2.5", older),
    ]
  }

  public static let strata = [
    "plain", "crowded", "tiny", "border", "duplicate", "outside", "degenerate", "empty", "sure",
  ]

  /// Images of 32 x 32 pixels; all numbers are multiples of 1/256.
  public func sample(_ stratum: String, using random: inout SplitMix) -> Scene<Truths> {
    let images = random.integer(1...2)
    let classes = random.integer(1...3)
    func number(_ low: Double, _ high: Double) -> Double {
      (random.uniform(low, high) * 256).rounded() / 256
    }
    let reach = stratum == "sure" ? 30.0 : 4
    let heads = strides.map { stride in
      let side = max(1, Int(32 / stride))
      return Tensor(
        [images, side, side, 5 + classes],
        (0..<images * side * side).flatMap { _ in
          (0..<2).map { _ in number(-0.5, 1.5) } + (0..<2).map { _ in number(-1, 1.25) }
            + (0...classes).map { _ in number(-reach, reach) }
        })
    }
    let truths = (0..<images).map { _ -> CenteredTruths in
      let count = stratum == "empty" ? 0 : stratum == "crowded" ? 5 : random.integer(0...3)
      let side = stratum == "tiny" ? 1.0...5.0 : 6...26
      let edge: ClosedRange<Double>
      switch stratum {
      case "outside": edge = 30...70
      case "border": edge = -4...36
      case "crowded": edge = 13...19
      default: edge = 4...28
      }
      var truths = CenteredTruths()
      for _ in 0..<count {
        let isFlat = stratum == "degenerate" && random.chance(0.5)
        truths.boxes.append(
          CenteredBox(
            cx: number(edge.lowerBound, edge.upperBound),
            cy: number(edge.lowerBound, edge.upperBound),
            w: isFlat ? 0 : number(side.lowerBound, side.upperBound),
            h: number(side.lowerBound, side.upperBound)))
        truths.labels.append(random.integer(0...classes - 1))
      }
      if stratum == "duplicate", let first = truths.boxes.first {
        truths.boxes.append(first)
        truths.labels.append(truths.labels[0])
      }
      return truths
    }
    return Scene(heads, truths)
  }

  /// Two images on a 4 x 4 and a 2 x 2 grid, the first with two truths.
  public static var worked: [WorkedScene<Self>] {
    var rows = pattern([2, 20, 8], 23, 7, 61, 30, 24)
    for k in rows.data.indices {
      if k % 8 < 2 { rows.data[k] = rows.data[k] * 0.4 + 0.5 }
      if k % 8 == 2 || k % 8 == 3 { rows.data[k] = rows.data[k] * 0.35 + 0.75 }
    }
    let heads = levels(rows, [(4, 4), (2, 2)])
    let truths = CenteredTruths(rows: [[12, 13, 18, 20, 0], [20, 18, 20, 17, 2]])
    let objective = Self(strides: [8, 16])
    return [
      WorkedScene("worked", objective, Scene(heads, [truths, CenteredTruths()])),
      WorkedScene(
        "without truths", objective, Scene(heads, [CenteredTruths(), CenteredTruths()])),
    ]
  }

  /// Rows [B, A, 5 + C], level after level, as one head a level.
  static func levels(_ rows: Tensor, _ sizes: [(height: Int, width: Int)]) -> [Tensor] {
    var first = 0
    return sizes.map { height, width in
      let count = height * width
      defer { first += count }
      return Tensor(
        [rows.shape[0], height, width, rows.columns],
        (0..<rows.shape[0]).flatMap { image in
          let start = rows.index(image, first, 0)
          return rows.data[start..<start + count * rows.columns]
        })
    }
  }

  /// The inverse of `levels`.
  static func rows(_ levels: [Tensor]) -> Tensor {
    let (images, columns) = (levels.first?.shape[0] ?? 0, levels.first?.columns ?? 0)
    let data = (0..<images).flatMap { image in levels.flatMap { $0.image(image).data } }
    return Tensor([images, data.count / max(1, images * columns), columns], data)
  }

  // MARK: Dialect

  public static let dialects: [Dialect] = [
    Dialect(
      "yolox", "get_losses",
      "At 6ddff48. Of `labels` the first rows count, as many as there are with a sum above 0.",
      inputs: ["outputs", "labels"],
      parameters: [
        "num_classes", "strides", "feature_sizes", "use_l1", "reg_weight", "center_radius",
        "top_iou",
      ]
    ) { call, evaluator in
      let (strides, sizes) = try call.grid()
      var objective = Self(strides: strides)
      objective.usesL1 = try call.flag("use_l1", default: false)
      objective.boxWeight = try call.number("reg_weight", default: 5)
      objective.assignment.radius = try call.number("center_radius", default: 1.5)
      objective.assignment.overlapCount = try call.integer("top_iou", default: 10)

      let outputs = try call.tensor("outputs")
      let count = sizes.reduce(0) { $0 + $1.height * $1.width }
      guard outputs.shape.count == 3, outputs.shape[1] == count else {
        throw Refusal.rejected(
          "\"outputs\" has shape \(outputs.shape); expected [B, \(count), 5 + C]")
      }
      try call.expect("num_classes", .number(Double(outputs.columns - 5)))
      let truths = try call.paddedTruths(images: outputs.shape[0])
      let result = try evaluator.evaluate(objective, Scene(levels(outputs, sizes), truths))
      let owners = result.decisions.matchings.flatMap { $0.owners.map { Double($0 ?? -1) } }
      return Answer(
        Tensor([4], result.terms), gradients: ["outputs": rows(result.gradients)],
        outputs: [
          "matched_gt": Tensor(Array(outputs.shape.prefix(2)), owners),
          "num_fg": Tensor([], [Double(result.decisions.foreground.count)]),
        ])
    }
  ]
}

extension Call {
  /// The strides, and the extents of each level.
  fileprivate func grid() throws -> (strides: [Double], sizes: [(height: Int, width: Int)]) {
    guard case .list(let strides)? = parameters["strides"],
      case .list(let sizes)? = parameters["feature_sizes"], strides.count == sizes.count
    else {
      throw Refusal.rejected("\"strides\" and \"feature_sizes\" must be lists of the same length")
    }
    return (
      try strides.map {
        guard case .number(let stride) = $0, stride > 0 else {
          throw Refusal.rejected("a stride must be a number above 0")
        }
        return stride
      },
      try sizes.map {
        guard case .list(let pair) = $0, pair.count == 2, case .number(let h) = pair[0],
          case .number(let w) = pair[1], let height = Int(exactly: h), let width = Int(exactly: w),
          (0...1 << 16).contains(height), (0...1 << 16).contains(width)
        else { throw Refusal.rejected("a feature size must be two whole numbers") }
        return (height, width)
      }
    )
  }

  /// Rows class, cx, cy, w, h of each image: as many of the first ones as have a sum above 0.
  fileprivate func paddedTruths(images: Int) throws -> [CenteredTruths] {
    let labels = try tensor("labels")
    guard labels.shape.count == 3, labels.shape[0] == images, labels.columns == 5 else {
      throw Refusal.rejected("\"labels\" has shape \(labels.shape); expected [\(images), T, 5]")
    }
    return try (0..<images).map { image in
      let rows = (0..<labels.shape[1]).map { row in
        (0..<5).map { labels[image, row, $0] }
      }
      let count = rows.count { $0.reduce(0, +) > 0 }
      var truths = CenteredTruths()
      for row in rows.prefix(count) {
        guard let label = Int(exactly: row[0]) else {
          throw Refusal.rejected("a class is \(row[0]); expected a whole number")
        }
        truths.boxes.append(CenteredBox(row[1...]))
        truths.labels.append(label)
      }
      return truths
    }
  }
}
