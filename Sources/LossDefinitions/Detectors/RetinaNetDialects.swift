extension RetinaNet {
  public static let dialects: [Dialect] = [
    Dialect(
      "torchvision", "retinanet_classification", "0.28.0: the class term, matches given.",
      inputs: ["cls_logits", "gt_labels", "matched_idxs"],
      parameters: ["alpha", "gamma", "ignored"]
    ) { call, evaluator in
      try call.expect("ignored", .text("matched_idx == -2"))
      var objective = torchvision
      objective.alpha = try call.number("alpha", default: 0.25)
      objective.gamma = try call.number("gamma", default: 2)
      let logits = try call.tensor("cls_logits")
      guard logits.shape.count == 3 else {
        throw Refusal.rejected("\"cls_logits\" has shape \(logits.shape); expected [B, A, C]")
      }
      let matches = try call.indices("matched_idxs", rows: logits.shape[0])
      let labels = try call.indices("gt_labels", rows: logits.shape[0])
      // The boxes do not enter the class term: a unit square is every anchor and every truth.
      let unit = Box(x1: 0.0, y1: 0, x2: 1, y2: 1)
      let truths = zip(matches, labels).map { matches, labels in
        AnchoredImage(
          matches.map { _ in unit }, ImageTruths(labels.map { _ in unit }, labels: labels),
          matches: matches)
      }
      let deltas = Tensor(zeros: [logits.shape[0], logits.shape[1], 4])
      let result = try evaluator.evaluate(objective, Scene([logits, deltas], truths))
      return Answer(
        Tensor([], [result.terms[0]]), gradients: ["cls_logits": result.gradients[0]])
    },
    Dialect(
      "torchvision", "retinanet_regression",
      "0.28.0: the box term, matches given; `loss_type` l1, smooth_l1, giou, diou or ciou.",
      inputs: ["bbox_regression", "gt_boxes", "anchors", "matched_idxs"],
      parameters: ["loss_type", "coder_weights", "smooth_l1_beta"]
    ) { call, evaluator in
      var objective = torchvision
      objective.deltas = BoxDeltas(weights: try call.numbers("coder_weights", [1, 1, 1, 1]))
      switch try call.text("loss_type", default: "l1") {
      case "l1": objective.localization = .l1
      case "smooth_l1":
        objective.localization = .smoothL1(beta: try call.number("smooth_l1_beta", default: 1))
      case "giou": objective.localization = .giou(epsilon: 1e-7)
      case "diou": objective.localization = .diou(epsilon: 1e-7)
      case "ciou": objective.localization = .ciou(epsilon: 1e-7)
      case let other: throw Refusal.unsupported("loss_type \"\(other)\"")
      }
      let deltas = try call.tensor("bbox_regression")
      guard deltas.shape.count == 3 else {
        throw Refusal.rejected("\"bbox_regression\" has shape \(deltas.shape); expected [B, A, 4]")
      }
      let matches = try call.indices("matched_idxs", rows: deltas.shape[0])
      let boxes = try call.boxesOfImages("gt_boxes", images: deltas.shape[0])
      let anchors = try call.boxesOfImages("anchors", images: deltas.shape[0])
      let truths = matches.indices.map { i in
        AnchoredImage(
          anchors[i], ImageTruths(boxes[i], labels: boxes[i].map { _ in 0 }), matches: matches[i])
      }
      let logits = Tensor(zeros: [deltas.shape[0], deltas.shape[1], 1])
      let result = try evaluator.evaluate(objective, Scene([logits, deltas], truths))
      return Answer(
        Tensor([], [result.terms[1]]), gradients: ["bbox_regression": result.gradients[1]])
    },
    Dialect(
      "detectron2", "RetinaNet_losses",
      "02b5c4e: matches by `iou_thresholds`; `loss_normalizer` is the state before the step.",
      inputs: [
        "anchors", "batch_idx", "gt_boxes", "gt_classes", "pred_logits", "pred_anchor_deltas",
      ],
      parameters: [
        "num_classes", "iou_thresholds", "focal_loss_alpha", "focal_loss_gamma", "smooth_l1_beta",
        "loss_normalizer", "loss_normalizer_momentum",
      ]
    ) { call, evaluator in
      var objective = detectron2(
        running: try call.number("loss_normalizer", default: 100),
        momentum: try call.number("loss_normalizer_momentum", default: 0.9))
      let thresholds = try call.numbers("iou_thresholds", [0.4, 0.5])
      guard thresholds.count == 2 else {
        throw Refusal.unsupported("\(thresholds.count) iou_thresholds")
      }
      objective.assigner = MaxIoU(positive: thresholds[1], negative: thresholds[0])
      objective.alpha = try call.number("focal_loss_alpha", default: 0.25)
      objective.gamma = try call.number("focal_loss_gamma", default: 2)
      objective.localization = .smoothL1(beta: try call.number("smooth_l1_beta", default: 0.1))
      let logits = try call.tensor("pred_logits")
      let classes = try call.integer("num_classes", default: logits.columns)
      guard logits.shape.count == 3, logits.columns == classes else {
        throw Refusal.rejected(
          "\"pred_logits\" has shape \(logits.shape); expected [B, A, \(classes)]")
      }
      let anchors = try call.rowsOfBoxes("anchors")
      let images = try call.truthsByImage(
        "gt_boxes", "gt_classes", "batch_idx", images: logits.shape[0])
      let scene = Scene(
        [logits, try call.tensor("pred_anchor_deltas")],
        images.map { AnchoredImage(anchors, $0) })
      let result = try evaluator.evaluate(objective, scene)
      let labels = zip(images, result.decisions.matches).flatMap { image, matches in
        matches.map { match in
          match >= 0 ? image.labels[match] : match == AnchoredImage.background ? classes : -1
        }
      }
      return Answer(
        Tensor([2], result.terms),
        gradients: [
          "pred_logits": result.gradients[0], "pred_anchor_deltas": result.gradients[1],
        ],
        outputs: [
          "gt_labels": Tensor(Array(logits.shape.prefix(2)), labels.map { Double($0) }),
          "loss_normalizer": Tensor([], [result.decisions.running ?? .nan]),
        ])
    },
  ]
}
