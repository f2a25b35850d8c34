extension YOLOv8OBB {
  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    guard heads.count == 3 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "3")
    }
    let rows = truths.rows.map {
      YOLOv8.Row(
        image: $0.image, label: $0.label, x: $0.box.x, y: $0.box.y, width: $0.box.w,
        height: $0.box.h)
    }
    try detection.check(Array(heads[..<2]), YOLOv8.Truths(truths.grid, rows))
    for (i, row) in truths.rows.enumerated() where !row.box.θ.isFinite {
      throw InvalidInput(
        "rows", image: row.image, index: i, given: "angle \(row.box.θ)",
        expected: "a finite number")
    }
    try heads[2].check("angle", shape: [heads[0].shape[0], 1, heads[0].shape[2]])
    try heads[2].checkFinite("angle")
  }

  public static let dialects: [Dialect] = [
    Dialect(
      "ultralytics", "v8OBBLoss", "The four terms times the batch's size.",
      inputs: ["boxes", "scores", "batch_idx", "cls", "bboxes", "angle"],
      parameters: YOLOv8.parameters
    ) { call, evaluator in
      try call.expect("bboxes", .text("normalised cxcywh, angle in radians"))
      var plain = call
      plain.parameters["bboxes"] = nil
      var objective = Self()
      objective.detection = try YOLOv8(plain)
      let gains = try call.group("gains")
      objective.angleGain = gains["angle"] ?? objective.angleGain
      let heads = try ["boxes", "scores", "angle"].map { try call.tensor($0) }
      let truths = Truths(try call.anchorGrid(), try call.rotatedRows())
      let result = try evaluator.evaluate(objective, Scene(heads, truths))
      return Answer(
        Tensor([result.terms.count], result.terms),
        gradients: Dictionary(uniqueKeysWithValues: zip(objective.heads, result.gradients)),
        outputs: YOLOv8.targets(
          heads[1].shape, result.decisions,
          objective.foreground(heads, truths, result.decisions).map(\.plain)))
    }
  ]
}

extension Call {
  /// The truths of `batch_idx`, `cls` and `bboxes`, five numbers a box.
  fileprivate func rotatedRows() throws -> [YOLOv8OBB.Row] {
    let boxes = try tensor("bboxes")
    guard boxes.shape.count == 2, boxes.columns == 5 else {
      throw Refusal.rejected("\"bboxes\" has shape \(boxes.shape); expected [N, 5]")
    }
    let count = boxes.shape[0]
    let images = try wholeNumbers("batch_idx", count: count)
    let labels = try wholeNumbers("cls", count: count)
    return (0..<count).map { i in
      YOLOv8OBB.Row(
        image: images[i], label: labels[i],
        box: RotatedBox(Array(boxes.data[5 * i..<5 * i + 5])))
    }
  }
}
