extension SSD {
  public static let dialects: [Dialect] = [
    Dialect(
      "ssd.pytorch", "MultiBoxLoss",
      "5b0b77f with the swap of two lines that it needs. An image without truths is rejected.",
      inputs: ["loc_data", "conf_data", "priors", "batch_idx", "boxes", "labels"],
      parameters: ["num_classes", "overlap_thresh", "neg_pos", "variance"]
    ) { call, evaluator in
      var objective = ssdPytorch
      let threshold = try call.number("overlap_thresh", default: 0.5)
      objective.assigner.positiveThreshold = threshold
      objective.assigner.negativeThreshold = threshold
      objective.mining.ratio = try call.integer("neg_pos", default: 3)
      let variance = try call.numbers("variance", [0.1, 0.2])
      guard variance.count == 2 else { throw Refusal.unsupported("\(variance.count) variances") }
      objective.deltas = BoxDeltas(
        deviations: [variance[0], variance[0], variance[1], variance[1]])
      let logits = try call.tensor("conf_data")
      let classes = try call.integer("num_classes", default: logits.columns)
      guard logits.shape.count == 3, logits.columns == classes else {
        throw Refusal.rejected(
          "\"conf_data\" has shape \(logits.shape); expected [B, A, \(classes)]")
      }
      let rows = try call.rowsOfBoxes("priors")
      let priors = rows.map { Box(centerX: $0.x1, centerY: $0.y1, width: $0.x2, height: $0.y2) }
      let images = try call.truthsByImage("boxes", "labels", "batch_idx", images: logits.shape[0])
      if let empty = images.firstIndex(where: { $0.boxes.isEmpty }) {
        throw Refusal.rejected("image \(empty) has no truth")
      }
      let scene = Scene(
        [try call.tensor("loc_data"), logits], images.map { AnchoredImage(priors, $0) })
      let result = try evaluator.evaluate(objective, scene)
      let shape = Array(logits.shape.prefix(2))
      let labels = zip(scene.truths, result.decisions.matches).flatMap { objective.labels($0, $1) }
      return Answer(
        Tensor([2], result.terms),
        gradients: ["loc_data": result.gradients[0], "conf_data": result.gradients[1]],
        outputs: [
          "conf_t": Tensor(shape, labels.map { Double($0) }),
          "used": Tensor(shape, result.decisions.uses.joined().map { $0 > 0 ? 1 : 0 }),
        ])
    },
    Dialect(
      "torchvision", "ssd_compute_loss", "0.28.0: matches given; labels count the background.",
      inputs: [
        "cls_logits", "bbox_regression", "gt_labels", "gt_boxes", "anchors", "matched_idxs",
      ],
      parameters: ["neg_to_pos_ratio", "coder_weights", "smooth_l1_beta"]
    ) { call, evaluator in
      var objective = torchvision
      objective.mining.ratio = try call.integer("neg_to_pos_ratio", default: 3)
      objective.deltas = BoxDeltas(weights: try call.numbers("coder_weights", [10, 10, 5, 5]))
      objective.beta = try call.number("smooth_l1_beta", default: 1)
      let logits = try call.tensor("cls_logits")
      guard logits.shape.count == 3 else {
        throw Refusal.rejected("\"cls_logits\" has shape \(logits.shape); expected [B, A, C]")
      }
      let images = logits.shape[0]
      let matches = try call.indices("matched_idxs", rows: images)
      let labels = try call.indices("gt_labels", rows: images)
      let boxes = try call.boxesOfImages("gt_boxes", images: images)
      let anchors = try call.boxesOfImages("anchors", images: images)
      let truths = (0..<images).map { i in
        AnchoredImage(
          anchors[i], ImageTruths(boxes[i], labels: labels[i].map { $0 - 1 }), matches: matches[i])
      }
      let result = try evaluator.evaluate(
        objective, Scene([try call.tensor("bbox_regression"), logits], truths))
      return Answer(
        Tensor([2], result.terms),
        gradients: ["bbox_regression": result.gradients[0], "cls_logits": result.gradients[1]])
    },
  ]
}
