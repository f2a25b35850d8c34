extension YOLOv8 {
  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    guard heads.count == 2 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "2")
    }
    let (boxes, scores) = (heads[0], heads[1])
    let anchors = truths.grid.count
    try boxes.check("boxes", shape: [nil, nil, anchors])
    try scores.check("scores", shape: [boxes.shape[0], nil, anchors])
    guard boxes.shape[1] > 0, boxes.shape[1] % 4 == 0 else {
      throw InvalidInput(
        "boxes", given: "\(boxes.shape[1]) channels", expected: "bins of four sides")
    }
    try boxes.checkFinite("boxes")
    try scores.checkFinite("scores")
    try checkRows(truths, images: boxes.shape[0], classes: scores.shape[1])
  }

  /// What of the arguments the heads' numbers are not needed for.
  func checkRows(_ truths: Truths, images: Int, classes: Int) throws(InvalidInput) {
    for (level, map) in truths.grid.levels.enumerated()
    where !(0 < map.stride && map.stride < .infinity) {
      throw InvalidInput(
        "grid", level: level, given: "stride \(map.stride)", expected: "a positive number")
    }
    for (i, row) in truths.rows.enumerated() {
      guard (0..<images).contains(row.image) else {
        throw InvalidInput(
          "rows", index: i, given: "image \(row.image)", expected: "0 ..< \(images)")
      }
      guard (0..<classes).contains(row.label) else {
        throw InvalidInput(
          "rows", image: row.image, index: i, given: "class \(row.label)",
          expected: "0 ..< \(classes)")
      }
      guard row.x.isFinite, row.y.isFinite, row.width.isFinite, row.height.isFinite,
        row.width >= 0, row.height >= 0
      else {
        throw InvalidInput(
          "rows", image: row.image, index: i,
          given: "centre (\(row.x), \(row.y)), size (\(row.width), \(row.height))",
          expected: "finite numbers, no negative size")
      }
    }
    if let classWeights {
      guard classWeights.count == classes, classWeights.allSatisfy({ 0 <= $0 && $0 < .infinity })
      else {
        throw InvalidInput(
          "classWeights", given: "\(classWeights)", expected: "\(classes) numbers from 0")
      }
    }
    try assigner(truths.grid).checkCounts(anchors: truths.grid.count, truths: truths.rows.count)
  }

  public static let dialects: [Dialect] = [
    Dialect(
      "ultralytics", "v8DetectionLoss",
      "The three terms times the batch's size. `min_gt_side` is the second stride, or the only one.",
      inputs: ["boxes", "scores", "batch_idx", "cls", "bboxes"],
      parameters: parameters
    ) { call, evaluator in
      let objective = try Self(call)
      let heads = [try call.tensor("boxes"), try call.tensor("scores")]
      let truths = Truths(try call.anchorGrid(), try call.truthRows())
      guard heads.allSatisfy({ $0.shape.count == 3 }) else {
        throw Refusal.rejected("\"boxes\" and \"scores\" must have three axes")
      }
      let images = heads[0].shape[0]
      guard images > 0 else { return Answer(Tensor(zeros: [3]), gradients: [:]) }
      let result = try evaluator.evaluate(objective, Scene(heads, truths))
      return Answer(
        Tensor([3], result.terms),
        gradients: ["boxes": result.gradients[0], "scores": result.gradients[1]])
    },
    Dialect(
      "ultralytics", "BboxLoss",
      """
      The overlap and the distribution alone, of boxes in cells; `pred_bboxes` and `pred_dist` are \
      separate inputs. Without gains.
      """,
      inputs: [
        "pred_dist", "pred_bboxes", "anchor_points", "target_bboxes", "target_scores",
        "target_scores_sum", "fg_mask", "imgsz", "stride",
      ], parameters: ["reg_max", "second_term"]
    ) { call, evaluator in try boxTerms(call, evaluator) },
  ]

  /// The settings that a call of `v8DetectionLoss` has.
  init(_ call: Call) throws {
    self.init()
    try call.expect("bboxes", .text("normalised cxcywh"))
    let gains = try call.group("gains")
    boxGain = gains["box"] ?? boxGain
    classGain = gains["cls"] ?? classGain
    distributionGain = gains["dfl"] ?? distributionGain
    topk = try call.integer("tal_topk", default: 10)
    alpha = try call.number("alpha", default: 0.5)
    beta = try call.number("beta", default: 6)
    classWeights = try call.optionalNumbers("class_weights")
    let strides = try call.optionalNumbers("strides") ?? []
    if let side = strides.dropFirst().first ?? strides.first {
      try call.expect("min_gt_side", .number(side))
    }
  }

  private static func boxTerms(_ call: Call, _ evaluator: any Evaluator) throws -> Answer {
    let distributions = try call.tensor("pred_dist")
    guard distributions.shape.count == 3, distributions.columns % 4 == 0 else {
      throw Refusal.rejected(
        "\"pred_dist\" has shape \(distributions.shape); expected [B, A, 4 bins]")
    }
    let (images, anchors) = (distributions.shape[0], distributions.shape[1])
    let bins = distributions.columns / 4
    try call.expect("reg_max", .number(Double(bins)))
    let boxes = try call.tensor("pred_bboxes", like: [images, anchors, 4])
    let targets = try call.tensor("target_bboxes", like: [images, anchors, 4])
    let points = try call.tensor("anchor_points", like: [anchors, 2])
    let mask = try call.tensor("fg_mask", like: [images, anchors])
    let scores = try call.tensor("target_scores")
    guard scores.shape.count == 3, Array(scores.shape[..<2]) == [images, anchors] else {
      throw Refusal.rejected(
        "\"target_scores\" has shape \(scores.shape); expected [\(images), \(anchors), C]")
    }
    let strides = try call.tensor("stride", like: [anchors, 1])
    let size = try call.tensor("imgsz", like: [2])
    let sum = try call.tensor("target_scores_sum", like: []).data[0]

    let rows = mask.data.indices.filter { mask[$0] != 0 }
    let weights = rows.map { row in
      scores.data[row * scores.columns..<(row + 1) * scores.columns].reduce(0, +) / sum
    }
    func four(_ tensor: Tensor, _ row: Int) -> [Double] {
      Array(tensor.data[4 * row..<4 * row + 4])
    }
    let overlaps = try evaluator.evaluate(
      CIoU(.constant, epsilon: 1e-7, heightEpsilon: 1e-7),
      rows.map { Item(four(boxes, $0), four(targets, $0)) })

    var sides: [(row: Int, side: Int, weight: Double)] = []
    var items: [Item] = []
    for (row, weight) in zip(rows, weights) {
      let a = row % anchors
      let target = Box(four(targets, row))
      let distances = YOLOv8.distances(to: target, from: Point(points[a, 0], points[a, 1]), 1)
      for side in 0..<4 {
        let first = row * distributions.columns + side * bins
        let x = Array(distributions.data[first..<first + bins])
        let scale = bins > 1 ? 1 : strides[a] / size[side % 2 == 0 ? 1 : 0]
        let y = distances[side]
        items.append(Item(x, [bins > 1 ? min(max(y, 0), Double(bins - 1) - 0.01) : y]))
        sides.append((row, side, weight * scale / 4))
      }
    }
    let errors =
      bins > 1
      ? try evaluator.evaluate(DistributionFocal(), items) : try evaluator.evaluate(L1(), items)

    var value = Tensor(zeros: [2])
    var (slopes, boxSlopes) = (Tensor(zeros: distributions.shape), Tensor(zeros: boxes.shape))
    for (i, row) in rows.enumerated() {
      value.data[0] += weights[i] * overlaps[i].value
      for k in 0..<4 { boxSlopes.data[4 * row + k] = weights[i] * overlaps[i].prediction[k] }
    }
    for (i, at) in sides.enumerated() {
      value.data[1] += at.weight * errors[i].value
      for k in 0..<bins {
        slopes.data[at.row * distributions.columns + at.side * bins + k] =
          at.weight * errors[i].prediction[k]
      }
    }
    return Answer(value, gradients: ["pred_dist": slopes, "pred_bboxes": boxSlopes])
  }
}

// MARK: - What the dialects of the family share

extension Call {
  /// The numbers of a list, or nil for null and for a parameter that is not there.
  func optionalNumbers(_ name: String) throws -> [Double]? {
    switch parameters[name] {
    case nil, .null: return nil
    case .list(let list):
      return try list.map { entry in
        guard case .number(let number) = entry else {
          throw Refusal.rejected("parameter \"\(name)\" must be a list of numbers")
        }
        return number
      }
    default: throw Refusal.rejected("parameter \"\(name)\" must be a list of numbers")
    }
  }

  /// The anchors of `feature_sizes` and `strides`, whose image is `imgsz`.
  func anchorGrid() throws -> AnchorGrid {
    let strides = try optionalNumbers("strides") ?? []
    guard case .list(let maps)? = parameters["feature_sizes"] else {
      throw Refusal.rejected("parameter \"feature_sizes\" must be a list of sizes")
    }
    let sizes = try maps.map { map -> (height: Int, width: Int) in
      guard case .list(let sides) = map, sides.count == 2, case .number(let height) = sides[0],
        case .number(let width) = sides[1], let height = Int(exactly: height),
        let width = Int(exactly: width), height > 0, width > 0
      else { throw Refusal.rejected("\"feature_sizes\" must hold pairs of whole numbers") }
      return (height, width)
    }
    guard sizes.count == strides.count else {
      throw Refusal.rejected("\(sizes.count) feature sizes and \(strides.count) strides")
    }
    let grid = AnchorGrid(sizes, strides: strides)
    try expect("imgsz", .list([.number(grid.imageHeight), .number(grid.imageWidth)]))
    return grid
  }

  /// The truths of `batch_idx`, `cls` and `bboxes`.
  func truthRows() throws -> [YOLOv8.Row] {
    let boxes = try tensor("bboxes")
    let count = boxes.data.count / 4
    let images = try wholeNumbers("batch_idx", count: count)
    let labels = try wholeNumbers("cls", count: count)
    return (0..<count).map { i in
      YOLOv8.Row(
        image: images[i], label: labels[i], x: boxes.data[4 * i], y: boxes.data[4 * i + 1],
        width: boxes.data[4 * i + 2], height: boxes.data[4 * i + 3])
    }
  }

  func wholeNumbers(_ name: String, count: Int) throws -> [Int] {
    let numbers = try tensor(name).data
    guard numbers.count == count else {
      throw Refusal.rejected("\"\(name)\" has \(numbers.count) entries; expected \(count)")
    }
    return try numbers.map {
      guard let whole = Int(exactly: $0) else {
        throw Refusal.rejected("\"\(name)\" holds \($0); expected whole numbers")
      }
      return whole
    }
  }
}
