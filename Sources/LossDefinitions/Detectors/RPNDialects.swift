extension RPN {
  public static let dialects = [torchvision, detectron2Losses, matterportClass, matterportBox]

  /// torchvision at given labels and deltas, all images in one column.
  private static var torchvision: Dialect {
    let note = """
      Smooth L1 with β = 1/9, summed over positives; both terms over the number of sampled anchors. \
      Labels below 0 are left out.
      """
    return Dialect(
      "torchvision", "rpn_compute_loss", note,
      inputs: ["objectness", "pred_bbox_deltas", "labels", "regression_targets"],
      parameters: ["beta", "sampler", "images"]
    ) { call, evaluator in
      try call.expect("sampler", .text("every anchor with label >= 0"))
      let labels = try call.tensor("labels").data
      let scores = try call.tensor("objectness", like: [labels.count, 1])
      let deltas = try call.tensor("pred_bbox_deltas", like: [labels.count, 4])
      let targets = try call.tensor("regression_targets", like: deltas.shape)
      guard labels.contains(where: { $0 >= 0 }) else {
        throw Refusal.rejected("no anchor is sampled: the mean of nothing")
      }
      var rpn = Self()
      rpn.localization = .smoothL1(beta: try call.number("beta", default: 1.0 / 9))
      let result = try evaluator.evaluate(
        rpn,
        Scene(
          [
            Tensor([1, labels.count], scores.data), Tensor([1, labels.count, 4], deltas.data),
          ],
          .targets(
            labels: [labels.map { $0 < 0 ? -1 : $0 > 0 ? 1 : 0 }],
            deltas: Tensor([1, labels.count, 4], targets.data))))
      return Answer(
        Tensor([2], result.terms),
        gradients: [
          "objectness": Tensor(scores.shape, result.gradients[0].data),
          "pred_bbox_deltas": Tensor(deltas.shape, result.gradients[1].data),
        ])
    }
  }

  /// detectron2 from boxes; where the quota would drop anchors, its draw is not ours.
  private static var detectron2Losses: Dialect {
    let note = """
      Smooth L1 with β = `smooth_l1_beta`, 0 by default; both terms over `batch_size_per_image` times \
      the images.
      """
    return Dialect(
      "detectron2", "RPN_losses", note,
      inputs: [
        "anchors", "batch_idx", "gt_boxes", "pred_objectness_logits", "pred_anchor_deltas",
      ],
      parameters: [
        "batch_size_per_image", "iou_thresholds", "smooth_l1_beta", "bbox_reg_weights",
      ]
    ) { call, evaluator in
      let scores = try call.tensor("pred_objectness_logits")
      let deltas = try call.tensor("pred_anchor_deltas")
      let anchors = try call.corners("anchors")
      let owners = try call.tensor("batch_idx").data
      let boxes = try call.corners("gt_boxes")
      guard scores.shape.count == 2, owners.count == boxes.count,
        owners.allSatisfy({ 0 <= $0 && $0 < Double(scores.shape[0]) })
      else {
        throw Refusal.rejected("\"batch_idx\" must name the image of each of \"gt_boxes\"")
      }
      let quota = try call.integer("batch_size_per_image", default: 256)
      let thresholds = try call.numbers("iou_thresholds", default: [0.3, 0.7])
      var rpn = Self.detectron2(quota: quota, beta: try call.number("smooth_l1_beta", default: 0))
      (rpn.assigner.negativeThreshold, rpn.assigner.positiveThreshold) =
        (thresholds[0], thresholds[1])
      rpn.coder.weights = try call.numbers("bbox_reg_weights", default: [1, 1, 1, 1])
      let images = (0..<scores.shape[0]).map { image in
        Image(zip(boxes, owners).filter { Int($1) == image }.map(\.0))
      }
      let truths = Supervision.boxes(anchors: anchors, images: images)
      var exhaustive = rpn
      exhaustive.sampler.quota = nil
      let result = try evaluator.evaluate(rpn, Scene([scores, deltas], truths))
      guard exhaustive.decide([], truths) == result.decisions else {
        throw Refusal.unsupported("more anchors than the quota: the sample is the peer's own")
      }
      return Answer(
        Tensor([2], result.terms),
        gradients: [
          "pred_objectness_logits": result.gradients[0], "pred_anchor_deltas": result.gradients[1],
        ],
        outputs: [
          "gt_labels": Tensor(scores.shape, result.decisions.labels.joined().map { Double($0) })
        ])
    }
  }

  private static var matterportClass: Dialect {
    Dialect(
      "matterport-mask-rcnn", "rpn_class_loss",
      "Two logits; the mean over anchors that are not neutral. 1 is positive, −1 negative.",
      inputs: ["rpn_match", "rpn_class_logits"]
    ) { call, evaluator in
      let logits = try call.tensor("rpn_class_logits")
      let labels = try call.matches(anchors: logits)
      let deltas = Tensor(zeros: [logits.shape[0], logits.shape[1], 4])
      let result = try evaluator.evaluate(
        Self.matterport,
        Scene([logits, deltas], .targets(labels: labels, deltas: deltas)))
      return Answer(
        Tensor([], [result.terms[0]]), gradients: ["rpn_class_logits": result.gradients[0]])
    }
  }

  private static var matterportBox: Dialect {
    Dialect(
      "matterport-mask-rcnn", "rpn_bbox_loss",
      "β = 1; the mean over the positives' deltas. Row j of an image is its j-th positive's target.",
      inputs: ["target_bbox", "rpn_match", "rpn_bbox"]
    ) { call, evaluator in
      let deltas = try call.tensor("rpn_bbox")
      let labels = try call.matches(anchors: deltas)
      let packed = try call.tensor("target_bbox")
      guard packed.shape.count == 3, packed.shape[0] == labels.count, packed.shape[2] == 4 else {
        throw Refusal.rejected("\"target_bbox\" has shape \(packed.shape)")
      }
      var targets = Tensor(zeros: deltas.shape)
      for (image, labels) in labels.enumerated() {
        let positives = labels.indices.filter { labels[$0] == 1 }
        guard positives.count <= packed.shape[1] else {
          throw Refusal.rejected("image \(image) has more positives than target rows")
        }
        for (j, a) in positives.enumerated() {
          for k in 0..<4 { targets.data[targets.index(image, a, k)] = packed[image, j, k] }
        }
      }
      let logits = Tensor(zeros: [deltas.shape[0], deltas.shape[1], 2])
      let result = try evaluator.evaluate(
        Self.matterport, Scene([logits, deltas], .targets(labels: labels, deltas: targets)))
      return Answer(Tensor([], [result.terms[1]]), gradients: ["rpn_bbox": result.gradients[1]])
    }
  }
}

extension MaxIoU {
  public static let dialects = [buildTargets]

  /// Matterport's labels and packed target rows of one image; classes below 0 are crowds.
  private static var buildTargets: Dialect {
    let note = """
      The first best anchor of each truth; an anchor that touches a crowd is not negative. Corners \
      y1, x1, y2, x2; 1 positive, −1 negative, 0 neutral.
      """
    return Dialect(
      "matterport-mask-rcnn", "build_rpn_targets", note,
      inputs: ["anchors", "gt_class_ids", "gt_boxes"],
      parameters: [
        "RPN_TRAIN_ANCHORS_PER_IMAGE", "RPN_BBOX_STD_DEV", "image_shape", "negative_below",
        "positive_from",
      ]
    ) { call, evaluator in
      let boxes = try call.corners("gt_boxes").map(\.transposed)
      let classes = try call.tensor("gt_class_ids", like: [boxes.count]).data
      let anchors = try call.corners("anchors").map(\.transposed)
      let quota = try call.integer("RPN_TRAIN_ANCHORS_PER_IMAGE", default: 256)
      let deviations = try call.numbers("RPN_BBOX_STD_DEV", default: [0.1, 0.1, 0.2, 0.2])
      var rule = Self.matterport
      rule.negativeThreshold = try call.number("negative_below", default: 0.3)
      rule.positiveThreshold = try call.number("positive_from", default: 0.7)
      let truths = zip(boxes, classes).filter { $1 > 0 }.map(\.0)
      let matching = try evaluator.solve(
        rule,
        Problem(
          anchors: anchors, truths: truths,
          crowds: zip(boxes, classes).filter { $1 < 0 }.map(\.0)))
      let sample = try evaluator.solve(
        BalancedSampling(quota: quota), BalancedSampling.Problem(labels: matching.labels))
      guard sample.labels == matching.labels else {
        throw Refusal.unsupported("more anchors than the quota: the sample is the peer's own")
      }
      let coder = BoxDeltas(.yx, deviations: deviations)
      var rows = sample.positives.flatMap { a in
        matching.owners[a].map { coder.encode(truths[$0], from: anchors[a]) } ?? []
      }
      // The peer fills up with zero rows; the first of them is kept.
      if sample.positives.count < quota { rows += [0, 0, 0, 0] }
      return Answer(outputs: [
        "rpn_match": Tensor([anchors.count], matching.labels.map { [1: 1, 0: -1][$0] ?? 0 }),
        "rpn_bbox": Tensor([rows.count / 4, 4], rows),
      ])
    }
  }
}

extension Call {
  /// Matterport's matches (B, A, 1) as labels: 1 positive, −1 negative, 0 neutral.
  fileprivate func matches(anchors head: Tensor) throws -> [[Int]] {
    guard head.shape.count == 3 else {
      throw Refusal.rejected("shape \(head.shape) has not three axes")
    }
    let matches = try tensor("rpn_match", like: [head.shape[0], head.shape[1], 1])
    return (0..<head.shape[0]).map { image in
      (0..<head.shape[1]).map { [1: 1, -1: 0][matches[image, $0, 0]] ?? -1 }
    }
  }
}

extension Box where Number == Double {
  /// The box with its axes exchanged: of corners y1, x1, y2, x2.
  var transposed: Self { Self(x1: y1, y1: x1, x2: y2, y2: x2) }
}
