extension FastRCNN {
  /// torchvision's rules, which are the default.
  public static let torchvisionRules = Self()

  /// detectron2's: the background is the last class, which has no box; `beta` 0 is its default.
  public static let detectron2Rules: Self = {
    var rules = Self()
    rules.background = .last
    rules.boxColumns = .classes
    rules.beta = 0
    return rules
  }()

  /// Matterport's.
  public static let matterportRules: Self = {
    var rules = Self()
    rules.counting = .active
    rules.normalizer = .foregroundDeltas
    rules.beta = 1
    return rules
  }()

  public static var configurations: [Configuration<Self>] {
    var agnostic = detectron2Rules
    agnostic.boxColumns = .one
    agnostic.beta = 0.5
    var weighted = torchvisionRules
    weighted.classGain = 0.75
    weighted.boxGain = 2
    return [
      Configuration("default", Self()), Configuration("detectron2", detectron2Rules),
      Configuration("detectron2, one box for all classes, beta = 0.5", agnostic),
      Configuration("Matterport", matterportRules),
      Configuration("gains 0.75 and 2", weighted),
    ]
  }

  static let torchvision = Dialect(
    "torchvision", "fastrcnn_loss",
    """
    Class 0 is the background; columns 4c to 4c + 3 are class c's. The box term is divided by all \
    rows; β is 1/9.
    """, inputs: ["class_logits", "box_regression", "labels", "regression_targets"],
    parameters: ["beta"]
  ) { call, evaluator in
    var rules = torchvisionRules
    rules.beta = try call.number("beta", default: 1.0 / 9)
    let logits = try call.tensor("class_logits")
    let boxes = try call.tensor("box_regression")
    let truths = Truths(
      labels: try call.classes("labels"), deltas: try call.tensor("regression_targets").data)
    return try rules.answer(
      [logits, boxes], truths, named: ["class_logits", "box_regression"], evaluator)
  }

  static let detectron2 = Dialect(
    "detectron2", "FastRCNNOutputLayers_losses",
    """
    Class `num_classes` is the background and has no box; target deltas are those of `gt_boxes` seen \
    from `proposal_boxes`; a β below 1e-5 is the absolute error.
    """,
    inputs: ["scores", "proposal_deltas", "proposal_boxes", "gt_boxes", "gt_classes"],
    parameters: ["num_classes", "bbox_reg_weights", "smooth_l1_beta"]
  ) { call, evaluator in
    var rules = detectron2Rules
    let beta = try call.number("smooth_l1_beta", default: 0)
    rules.beta = beta < 1e-5 ? 0 : beta
    let scores = try call.tensor("scores")
    let deltas = try call.tensor("proposal_deltas")
    try call.expect("num_classes", .number(Double(scores.columns - 1)))
    if deltas.columns == 4 { rules.boxColumns = .one }
    let labels = try call.classes("gt_classes")
    let coder = BoxDeltas(weights: try call.numbers("bbox_reg_weights", default: [10, 10, 5, 5]))
    let targets = try zip(
      call.corners("gt_boxes"), call.corners("proposal_boxes")
    ).enumerated().flatMap { i, pair in
      // The deltas of a background row are not used, whatever its box is.
      labels.indices.contains(i) && labels[i] == scores.columns - 1
        ? [0, 0, 0, 0] : coder.encode(pair.0, from: pair.1)
    }
    return try rules.answer(
      [scores, deltas], Truths(labels: labels, deltas: targets),
      named: ["scores", "proposal_deltas"], evaluator)
  }

  static let matterportClass = Dialect(
    "matterport-mask-rcnn", "mrcnn_class_loss",
    """
    The mean over the rows of all images whose *predicted* class is active in the first image; \
    refused where no row is, for which the framework returns NaN.
    """, inputs: ["target_class_ids", "pred_class_logits", "active_class_ids"]
  ) { call, evaluator in
    let logits = try call.tensor("pred_class_logits")
    let labels = try call.classes("target_class_ids")
    let active = try call.tensor("active_class_ids")
    let flags = active.data.prefix(logits.columns).map { $0 != 0 }
    let flat = Tensor([labels.count, logits.columns], logits.data)
    let boxes = Tensor(zeros: [labels.count, 4 * logits.columns])
    let truths = Truths(
      labels: labels, deltas: [Double](repeating: 0, count: 4 * labels.count), active: flags)
    let result = try evaluator.evaluate(matterportRules, Scene([flat, boxes], truths))
    return Answer(
      Tensor([], [result.terms[0]]),
      gradients: ["pred_class_logits": Tensor(logits.shape, result.gradients[0].data)])
  }

  static let matterportBox = Dialect(
    "matterport-mask-rcnn", "mrcnn_bbox_loss",
    "The mean over the four deltas of the rows whose class is not 0; 0 if there are none; β is 1.",
    inputs: ["target_bbox", "target_class_ids", "pred_bbox"]
  ) { call, evaluator in
    let boxes = try call.tensor("pred_bbox")
    let labels = try call.classes("target_class_ids")
    guard boxes.shape.count == 4, boxes.shape[3] == 4 else {
      throw Refusal.rejected("\"pred_bbox\" has shape \(boxes.shape); expected [B, R, C, 4]")
    }
    let columns = boxes.shape[2]
    let flat = Tensor([labels.count, 4 * columns], boxes.data)
    let truths = Truths(
      labels: labels, deltas: try call.tensor("target_bbox").data,
      active: [Bool](repeating: true, count: columns))
    let result = try evaluator.evaluate(
      matterportRules, Scene([Tensor(zeros: [labels.count, columns]), flat], truths))
    return Answer(
      Tensor([], [result.terms[1]]),
      gradients: ["pred_bbox": Tensor(boxes.shape, result.gradients[1].data)])
  }

  /// Both terms, and the gradients of their sum by the framework's names.
  private func answer(
    _ heads: [Tensor], _ truths: Truths, named names: [String], _ evaluator: any Evaluator
  ) throws -> Answer {
    let result = try evaluator.evaluate(self, Scene(heads, truths))
    return Answer(
      Tensor([2], result.terms),
      gradients: [names[0]: result.gradients[0], names[1]: result.gradients[1]])
  }
}

extension Call {
  /// An input of class indices, flat.
  func classes(_ name: String) throws -> [Int] {
    try tensor(name).data.enumerated().map { i, number in
      guard let index = Int(exactly: number) else {
        throw Refusal.rejected("\"\(name)\" at index \(i) is \(number); expected a class index")
      }
      return index
    }
  }

  /// An input of boxes by corners x1, y1, x2, y2, one a row.
  func corners(_ name: String) throws -> [Box<Double>] {
    let tensor = try tensor(name)
    guard tensor.shape.last == 4 else {
      throw Refusal.rejected("\"\(name)\" has shape \(tensor.shape); expected [..., 4]")
    }
    return stride(from: 0, to: tensor.data.count, by: 4).map {
      Box(Array(tensor.data[$0..<$0 + 4]))
    }
  }

  /// A parameter that is a list of numbers.
  func numbers(_ name: String, default standard: [Double]) throws -> [Double] {
    guard let given = parameters[name] else { return standard }
    guard case .list(let values) = given, values.count == standard.count else {
      throw Refusal.rejected("parameter \"\(name)\" must be a list of \(standard.count) numbers")
    }
    return try values.map { value in
      guard case .number(let number) = value else {
        throw Refusal.rejected("parameter \"\(name)\" must be a list of numbers")
      }
      return number
    }
  }
}
