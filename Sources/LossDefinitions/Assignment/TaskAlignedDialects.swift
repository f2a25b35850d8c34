extension TaskAligned {
  public func check(_ problem: Problem) throws(InvalidInput) {
    let anchors = problem.points.count
    guard problem.boxes.count == anchors, problem.scores.count == anchors else {
      throw InvalidInput(
        "boxes", given: "\(problem.boxes.count) boxes and \(problem.scores.count) rows of scores",
        expected: "as many as points, \(anchors)")
    }
    let classes = problem.scores.first?.count ?? 0
    for (a, row) in problem.scores.enumerated() {
      guard row.count == classes, row.allSatisfy({ (0...1).contains($0) }) else {
        throw InvalidInput(
          "scores", index: a, given: "\(row)", expected: "\(classes) numbers in 0 ... 1")
      }
    }
    for (a, box) in problem.boxes.enumerated()
    where ![box.x1, box.y1, box.x2, box.y2].allSatisfy(\.isFinite) {
      throw InvalidInput("boxes", index: a, given: "\(box)", expected: "finite corners")
    }
    if anchors > 0 { try problem.truths.check(image: 0, classes: classes) }
    guard problem.present.count == problem.truths.boxes.count else {
      throw InvalidInput(
        "present", given: "\(problem.present.count) flags",
        expected: "as many as truths, \(problem.truths.boxes.count)")
    }
    try checkCounts(anchors: anchors, truths: problem.truths.boxes.count)
  }

  /// Refuses counts that the anchors do not suffice for, where there is a truth to pick.
  func checkCounts(anchors: Int, truths: Int) throws(InvalidInput) {
    for (name, k) in [("topk", topk), ("topk2", topk2 ?? topk)]
    where truths > 0 && !(1...Swift.max(1, anchors)).contains(k) {
      throw InvalidInput(name, given: "\(k)", expected: "1 ... \(anchors), the number of anchors")
    }
  }

  public static let dialects: [Dialect] = [
    Dialect(
      "ultralytics", "TaskAlignedAssigner",
      """
      `value` is `target_scores`. Background anchors carry the label, box and index of truth 0; \
      without any row of truths the label is `num_classes`.
      """,
      inputs: [
        "pd_scores", "pd_bboxes", "anc_points", "gt_labels", "gt_bboxes", "mask_gt",
      ],
      parameters: ["topk", "topk2", "num_classes", "alpha", "beta", "stride", "eps"]
    ) { call, evaluator in try ultralytics(call, evaluator) }
  ]

  private static func ultralytics(_ call: Call, _ evaluator: any Evaluator) throws -> Answer {
    let scores = try call.tensor("pd_scores")
    guard scores.shape.count == 3 else {
      throw Refusal.rejected("\"pd_scores\" has shape \(scores.shape); expected three axes")
    }
    let (images, anchors) = (scores.shape[0], scores.shape[1])
    let classes = scores.shape[2]
    guard try call.integer("num_classes", default: classes) == classes else {
      throw Refusal.rejected("parameter \"num_classes\" is not the last extent of \"pd_scores\"")
    }
    let boxes = try call.tensor("pd_bboxes", like: [images, anchors, 4])
    let points = try call.tensor("anc_points", like: [anchors, 2])
    let slots = try call.tensor("gt_labels").shape.dropFirst().first ?? 0
    let labels = try call.tensor("gt_labels", like: [images, slots, 1])
    let truths = try call.tensor("gt_bboxes", like: [images, slots, 4])
    let mask = try call.tensor("mask_gt", like: [images, slots, 1])
    for (i, label) in labels.data.enumerated() {
      guard let whole = Int(exactly: label), (0..<classes).contains(whole) else {
        throw Refusal.rejected("\"gt_labels\" at index \(i) is \(label); expected 0 ..< \(classes)")
      }
    }
    let assigner = try ultralytics(call)

    var targetScores = Tensor(zeros: [images, anchors, classes])
    var targetLabels = Tensor(
      [images, anchors], Array(repeating: Double(classes), count: images * anchors))
    var targetBoxes = Tensor(zeros: [images, anchors, 4])
    var foreground = Tensor(zeros: [images, anchors])
    var indices = Tensor(zeros: [images, anchors])
    for b in 0..<images where slots > 0 {
      let rows = (0..<slots).map { g in
        Box((0..<4).map { truths[b, g, $0] })
      }
      let classNumbers = (0..<slots).map { Int(labels[b, $0, 0]) }
      let problem = Problem(
        points: (0..<anchors).map { Point(points[$0, 0], points[$0, 1]) },
        boxes: (0..<anchors).map { a in Box((0..<4).map { boxes[b, a, $0] }) },
        scores: (0..<anchors).map { a in (0..<classes).map { scores[b, a, $0] } },
        truths: ImageTruths(rows, labels: classNumbers),
        present: (0..<slots).map { mask[b, $0, 0] > 0 })
      let matching = try evaluator.solve(assigner, problem)
      for a in 0..<anchors {
        targetLabels.data[targetLabels.index(b, a)] = Double(classNumbers[0])
        for k in 0..<4 { targetBoxes.data[targetBoxes.index(b, a, k)] = truths[b, 0, k] }
      }
      for (match, weight) in zip(matching.matches, matching.weights) {
        let (a, g) = (match.anchor, match.truth)
        foreground.data[foreground.index(b, a)] = 1
        indices.data[indices.index(b, a)] = Double(g)
        targetLabels.data[targetLabels.index(b, a)] = Double(classNumbers[g])
        for k in 0..<4 { targetBoxes.data[targetBoxes.index(b, a, k)] = truths[b, g, k] }
        targetScores.data[targetScores.index(b, a, classNumbers[g])] = weight
      }
    }
    return Answer(
      targetScores, gradients: [:],
      outputs: [
        "target_scores": targetScores, "target_labels": targetLabels,
        "target_bboxes": targetBoxes, "fg_mask": foreground, "target_gt_idx": indices,
      ])
  }

  private static func ultralytics(_ call: Call) throws -> Self {
    var assigner = Self()
    assigner.topk = try call.integer("topk", default: 13)
    if try call.optionalNumber("topk2") != nil {
      assigner.topk2 = try call.integer("topk2", default: assigner.topk)
    }
    assigner.alpha = try call.number("alpha", default: 1)
    assigner.beta = try call.number("beta", default: 6)
    assigner.epsilon = try call.number("eps", default: 1e-9)
    if case .list(let strides)? = call.parameters["stride"] {
      let strides = strides.compactMap { if case .number(let s) = $0 { s } else { nil } }
      if let side = strides.dropFirst().first ?? strides.first {
        assigner.smallTruths = SmallTruths(below: side, become: side)
      }
    }
    return assigner
  }
}
