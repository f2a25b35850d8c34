extension FCOS {
  public static let dialects: [Dialect] = [
    Dialect(
      "torchvision", "fcos_head",
      "0.28.0: matches given; distances in sides of the anchor, a square about its point.",
      inputs: [
        "cls_logits", "bbox_regression", "bbox_ctrness", "gt_labels", "gt_boxes", "anchors",
        "matched_idxs",
      ],
      parameters: ["alpha", "gamma", "box"]
    ) { call, evaluator in
      try call.expect("box", .text("giou"))
      var objective = torchvision
      objective.alpha = try call.number("alpha", default: 0.25)
      objective.gamma = try call.number("gamma", default: 2)
      let logits = try call.tensor("cls_logits")
      guard logits.shape.count == 3 else {
        throw Refusal.rejected("\"cls_logits\" has shape \(logits.shape); expected [B, A, C]")
      }
      let (images, count) = (logits.shape[0], logits.shape[1])
      let distances = try call.tensor("bbox_regression", like: [images, count, 4])
      let centers = try call.tensor("bbox_ctrness", like: [images, count, 1])
      let matches = try call.indices("matched_idxs", rows: images)
      let labels = try call.indices("gt_labels", rows: images)
      let boxes = try call.boxesOfImages("gt_boxes", images: images)
      let anchors = try call.boxesOfImages("anchors", images: images)
      let truths = try (0..<images).map { i in
        Image(
          try anchors[i].map(level), ImageTruths(boxes[i], labels: labels[i]), matches: matches[i])
      }
      let heads = [logits, distances, Tensor([images, count], centers.data)]
      let result = try evaluator.evaluate(objective, Scene(heads, truths))
      return Answer(
        Tensor([3], result.terms),
        gradients: [
          "cls_logits": result.gradients[0], "bbox_regression": result.gradients[1],
          "bbox_ctrness": Tensor(centers.shape, result.gradients[2].data),
        ])
    }
  ]

  /// A level of one point, for an anchor of the framework.
  private static func level(_ anchor: Box<Double>) throws -> FCOSPoints.Level {
    guard anchor.width == anchor.height, anchor.width > 0 else {
      throw Refusal.unsupported("an anchor of \(anchor.width) x \(anchor.height), no square")
    }
    return FCOSPoints.Level(
      stride: anchor.width, least: 0, most: .infinity,
      points: [
        FCOSPoints.Point(x: (anchor.x1 + anchor.x2) / 2, y: (anchor.y1 + anchor.y2) / 2)
      ])
  }
}
