extension YOLOv8Segmentation {
  public func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput) {
    guard heads.count == 4 else {
      throw InvalidInput("heads", given: "\(heads.count) heads", expected: "4")
    }
    try detection.check(Array(heads[..<2]), truths.detection)
    let (images, anchors) = (heads[0].shape[0], heads[0].shape[2])
    try heads[2].check("mask_coefficient", shape: [images, nil, anchors])
    try heads[3].check("proto", shape: [images, heads[2].shape[1], nil, nil])
    try heads[2].checkFinite("mask_coefficient")
    try heads[3].checkFinite("proto")
    let size = heads[3].shape[2...]
    switch truths.masks {
    case .overlapping(let maps): try maps.check("masks", shape: [images] + size)
    case .separate(let maps):
      try maps.check("masks", shape: [truths.detection.rows.count] + size)
    }
  }

  public static let dialects: [Dialect] = [
    Dialect(
      "ultralytics", "v8SegmentationLoss",
      "The four terms times the batch's size; masks of the prototypes' size, overlapping or a row each.",
      inputs: [
        "boxes", "scores", "batch_idx", "cls", "bboxes", "mask_coefficient", "proto", "masks",
      ],
      parameters: YOLOv8.parameters + ["overlap_mask"]
    ) { call, evaluator in
      var objective = Self()
      objective.detection = try YOLOv8(call)
      let heads = try ["boxes", "scores", "mask_coefficient", "proto"].map { try call.tensor($0) }
      let detection = YOLOv8.Truths(try call.anchorGrid(), try call.truthRows())
      let masks = try call.tensor("masks")
      let truths = Truths(
        detection,
        try call.flag("overlap_mask", default: true) ? .overlapping(masks) : .separate(masks))
      let result = try evaluator.evaluate(objective, Scene(heads, truths))
      return Answer(
        Tensor([4], result.terms),
        gradients: Dictionary(uniqueKeysWithValues: zip(objective.heads, result.gradients)),
        outputs: objective.detection.targets(heads, detection, result.decisions))
    }
  ]
}

extension YOLOv8 {
  /// The parameters that the dialects of the family share.
  static let parameters = [
    "nc", "reg_max", "strides", "imgsz", "feature_sizes", "gains", "tal_topk", "alpha", "beta",
    "class_weights", "bboxes", "min_gt_side",
  ]

  /// The outputs that the dialects of the family share: the foreground, each anchor's truth in its
  /// image, and the target scores.
  func targets(
    _ heads: [Tensor], _ truths: Truths, _ decisions: Decisions
  ) -> [String: Tensor] {
    Self.targets(
      heads[1].shape, decisions, foreground(heads[0], heads[1], truths, decisions))
  }

  static func targets(
    _ shape: [Int], _ decisions: Decisions, _ foreground: [Foreground<Double>]
  ) -> [String: Tensor] {
    let (images, classes, anchors) = (shape[0], shape[1], shape[2])
    var mask = Tensor(zeros: [images, anchors])
    var indices = mask
    var scores = Tensor(zeros: [images, anchors, classes])
    for (b, matches) in decisions.enumerated() {
      for match in matches {
        mask.data[mask.index(b, match.anchor)] = 1
        indices.data[indices.index(b, match.anchor)] = Double(match.truth)
      }
    }
    for fg in foreground { scores.data[scores.index(fg.image, fg.anchor, fg.label)] = fg.weight }
    return ["fg_mask": mask, "target_gt_idx": indices, "target_scores": scores]
  }
}
