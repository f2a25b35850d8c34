extension TOOD {
  public static let dialects: [Dialect] = [
    Dialect(
      "tood", "TOODHead_loss",
      """
      fcjian/TOOD at 1bda27c, past the warm-up epochs: both terms over Σ n. Scores are probabilities, \
      boxes decoded. Its GIoU is taken in strides, which does not change it.
      """,
      inputs: [
        "cls_score", "bbox_pred", "anchors", "stride", "batch_idx", "gt_labels", "gt_bboxes",
      ],
      parameters: [
        "num_classes", "strides", "topk", "alpha", "beta", "qfl_beta", "bbox_weight",
        "inside_margin",
      ]
    ) { call, evaluator in
      try call.expect("qfl_beta", .number(2))
      var objective = Self()
      objective.assignment.topk = try call.integer("topk", default: 13)
      objective.assignment.alpha = try call.number("alpha", default: 1)
      objective.assignment.beta = try call.number("beta", default: 6)
      objective.assignment.margin = try call.number("inside_margin", default: 0.01)
      objective.boxWeight = try call.number("bbox_weight", default: 2)

      let scores = try call.tensor("cls_score")
      let images = scores.shape.first ?? 0
      let truths = Truths(
        try call.truths(images: images), anchors: try call.corners("anchors"))
      _ = try call.tensor("stride", like: [truths.anchors.count])
      try call.expect("num_classes", .number(Double(scores.columns)))
      let scene = Scene([scores, try call.tensor("bbox_pred")], truths)
      do {
        let result = try evaluator.evaluate(objective, scene)
        return try objective.answer(scene, result, evaluator)
      } catch let error as InvalidInput {
        throw Refusal.rejected("\(error)")
      }
    }
  ]

  private func answer(
    _ scene: Scene<Truths>, _ result: ObjectiveResult<Self>, _ evaluator: any Evaluator
  ) throws -> Answer {
    let (images, anchors) = (scene.truths.images.count, scene.truths.anchors.count)
    let labels = try result.decisions.indices.flatMap { image in
      try evaluator.solve(assignment, problem(scene.heads, scene.truths, image)).labels
    }
    let owners = result.decisions.joined().map { $0.map { Double($0) } ?? -1 }
    return Answer(
      Tensor([2], result.terms),
      gradients: ["cls_score": result.gradients[0], "bbox_pred": result.gradients[1]],
      outputs: [
        "assigned_gt": Tensor([images, anchors], owners),
        "norm_alignment": Tensor([images, anchors], labels),
      ])
  }
}

extension Call {
  /// Each image's truths, from rows of image, class and corners in any order.
  fileprivate func truths(images: Int) throws -> [ImageTruths] {
    let boxes = try corners("gt_bboxes")
    let count = boxes.count
    let (places, labels) = (
      try tensor("batch_idx", like: [count]), try tensor("gt_labels", like: [count])
    )
    var truths = Array(repeating: ImageTruths(), count: images)
    for i in 0..<count {
      guard let image = Int(exactly: places[i]), truths.indices.contains(image),
        let label = Int(exactly: labels[i])
      else {
        throw Refusal.rejected(
          "truth \(i) has image \(places[i]) and class \(labels[i]); expected whole numbers, the "
            + "image below \(images)")
      }
      truths[image].boxes.append(boxes[i])
      truths[image].labels.append(label)
    }
    return truths
  }
}
