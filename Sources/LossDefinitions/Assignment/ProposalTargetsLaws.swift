extension ProposalTargets {
  /// torchvision's rules, which are the default.
  public static let torchvision = Self()

  /// detectron2's: the background is the class after the last.
  public static func detectron2(classes: Int) -> Self {
    var rules = Self()
    rules.background = classes
    rules.order = .foregroundFirst
    return rules
  }

  /// Matterport's: truths are no candidates, background in proportion, and padding to the quota.
  public static let matterport: Self = {
    var rules = Self()
    rules.appendsTruths = false
    rules.sampler = .matterportRegions
    rules.order = .foregroundFirst
    rules.paddedRows = 200
    return rules
  }()

  public static var configurations: [Configuration<Self>] {
    var few = Self()
    few.sampler = BalancedSampling(quota: 8, positiveFraction: 0.25)
    var matterportFew = matterport
    matterportFew.sampler.quota = 12
    matterportFew.paddedRows = 12
    return [
      Configuration("default", Self()), Configuration("detectron2", detectron2(classes: 3)),
      Configuration("Matterport", matterport), Configuration("8 regions", few),
      Configuration("Matterport, 12 regions", matterportFew),
    ]
  }

  public static let dialects: [Dialect] = [
    Dialect(
      "matterport-mask-rcnn", "detection_targets",
      """
      Corners y1, x1, y2, x2, normalised; zero rows are padding, classes below 0 crowds. Positives \
      first, then negatives, then zero rows, of which two are kept; a sample that drops a region is the \
      framework's own draw and unsupported.
      """,
      inputs: ["proposals", "gt_class_ids", "gt_boxes", "gt_masks"],
      parameters: [
        "TRAIN_ROIS_PER_IMAGE", "ROI_POSITIVE_RATIO", "BBOX_STD_DEV", "MASK_SHAPE",
        "USE_MINI_MASK",
      ], answer: detectionTargets)
  ]

  @Sendable private static func detectionTargets(
    _ call: Call, _ evaluator: any Evaluator
  ) throws -> Answer {
    let classes = try call.classes("gt_class_ids")
    let boxes = try call.corners("gt_boxes").map(\.transposed)
    let stack = try call.tensor("gt_masks")
    let padding = Box<Double>(x1: 0, y1: 0, x2: 0, y2: 0)
    guard stack.shape.count == 3, stack.columns == boxes.count, classes.count == boxes.count else {
      throw Refusal.rejected("the numbers of classes, boxes and masks do not agree")
    }
    let present = boxes.indices.filter { boxes[$0] != padding }
    let objects = present.filter { classes[$0] > 0 }
    let problem = Problem(
      proposals: try call.corners("proposals").map(\.transposed).filter { $0 != padding },
      truths: ImageTruths(objects.map { boxes[$0] }, labels: objects.map { classes[$0] }),
      crowds: present.filter { classes[$0] < 0 }.map { boxes[$0] })

    var rules = matterport
    rules.sampler.quota = try call.integer("TRAIN_ROIS_PER_IMAGE", default: 200)
    rules.sampler.positiveFraction = try call.number("ROI_POSITIVE_RATIO", default: 0.33)
    rules.paddedRows = nil
    let matching = try evaluator.solve(rules, problem)
    try rules.refuseDraw(problem, matching)

    let shape = try call.numbers("MASK_SHAPE", default: [28, 28]).map { Int($0) }
    let mini = try call.flag("USE_MINI_MASK", default: true)
    let targets = MaskTargets(mini ? .miniCrop : .crop, rows: shape[0], columns: shape[1])
    let coder = BoxDeltas(
      .yx, deviations: try call.numbers("BBOX_STD_DEV", default: [0.1, 0.1, 0.2, 0.2]))
    let kept = min(rules.sampler.quota ?? 0, matching.rows.count + 2)
    let masks = matching.rows.enumerated().flatMap { i, candidate -> [Double] in
      guard let owner = matching.owners[i], let candidate else {
        return [Double](repeating: 0, count: shape[0] * shape[1])
      }
      return targets(
        stack.channel(objects[owner]), in: problem.proposals[candidate],
        owner: problem.truths.boxes[owner])
    }
    let regions = matching.rows.flatMap { candidate in
      candidate.map { problem.proposals[$0] }.map { [$0.y1, $0.x1, $0.y2, $0.x2] } ?? []
    }
    func padded(_ data: [Double], _ shape: [Int]) -> Tensor {
      let shape = [kept] + shape
      let zeros = [Double](repeating: 0, count: max(0, shape.reduce(1, *) - data.count))
      return Tensor(shape, data + zeros)
    }
    return Answer(outputs: [
      "rois": padded(regions, [4]),
      "roi_gt_class_ids": padded(matching.labels.map { Double($0) }, []),
      "deltas": padded(rules.deltas(problem, matching, by: coder), [4]),
      "roi_masks": padded(masks, shape),
    ])
  }

  /// Refuses a sample that left a region out.
  private func refuseDraw(_ problem: Problem, _ matching: Matching) throws {
    let all = matcher.optimized(
      MaxIoU.Problem(
        anchors: candidates(problem), truths: problem.truths.boxes, crowds: problem.crowds))
    guard all.labels.count(where: { $0 >= 0 }) == matching.rows.count else {
      throw Refusal.unsupported("more regions than the quota: the sample is the peer's own")
    }
  }

  // MARK: - Laws

  public static let laws: [AssignmentLaw<Self>] = [
    AssignmentLaw("foreground overlaps its truth by at least 1/2, background every truth by less") {
      rule, problem, solve in
      let matching = solve(rule, problem)
      let candidates = rule.candidates(problem)
      for (row, candidate) in matching.rows.enumerated() {
        guard let candidate else { continue }
        let box = candidates[candidate]
        let largest = problem.truths.boxes.map { $0.overlap(box) }.max() ?? 0
        let own = matching.owners[row].map { problem.truths.boxes[$0].overlap(box) }
        guard own.map({ $0 == largest && $0 >= 0.5 }) ?? (largest < 0.5) else {
          return .refuted("row \(row): \(own ?? 0) of at most \(largest)")
        }
      }
      return .holds
    },
    AssignmentLaw("no candidate twice; padding last; labels are the owners'") {
      rule, problem, solve in
      let matching = solve(rule, problem)
      let drawn = matching.rows.compactMap { $0 }
      let isPacked = matching.rows.prefix(drawn.count).allSatisfy { $0 != nil }
      let labels = matching.owners.map { $0.map { problem.truths.labels[$0] } ?? rule.background }
      return Set(drawn).count == drawn.count && isPacked && labels == matching.labels
        ? .holds : .refuted("\(matching.rows), \(matching.labels)")
    },
    AssignmentLaw("at most quota regions, and at most ⌊quota · positiveFraction⌋ foreground") {
      rule, problem, solve in
      guard let quota = rule.sampler.quota else { return .holds }
      let matching = solve(rule, problem)
      let foreground = matching.owners.count { $0 != nil }
      return matching.rows.count { $0 != nil } <= quota
        && foreground <= Int(Double(quota) * rule.sampler.positiveFraction)
        ? .holds : .refuted("\(foreground) foreground of \(matching.rows)")
    },
    AssignmentLaw("with appended truths, every truth with an area is learnt, below the quota") {
      rule, problem, solve in
      let count = rule.candidates(problem).count
      guard rule.appendsTruths, let quota = rule.sampler.quota,
        Double(count) <= Double(quota) * rule.sampler.positiveFraction
      else { return .holds }
      let matching = solve(rule, problem)
      for (g, box) in problem.truths.boxes.enumerated() where box.width * box.height > 0 {
        guard matching.owners.contains(where: { $0.map { problem.truths.boxes[$0] } == box }) else {
          return .refuted("truth \(g) is in no row")
        }
      }
      return .holds
    },
    AssignmentLaw("another order of the truths changes no proposal's label, no two overlaps alike")
    {
      rule, problem, solve in
      var other = problem
      other.truths = ImageTruths(
        problem.truths.boxes.reversed(), labels: problem.truths.labels.reversed())
      let (here, there) = (solve(rule, problem), solve(rule, other))
      let isDrawn = here.rows.count { $0 != nil } < rule.candidates(problem).count
      let hasTies = problem.proposals.indices.contains { r in
        problem.truths.boxes.count { $0.overlap(problem.proposals[r]) == here.overlaps[r] } > 1
      }
      guard !isDrawn, !hasTies, problem.crowds.isEmpty else { return .holds }
      func labels(_ matching: Matching) -> [Int: Int] {
        var labels: [Int: Int] = [:]
        for (row, label) in zip(matching.rows, matching.labels) {
          if let row, row < problem.proposals.count { labels[row] = label }
        }
        return labels
      }
      return labels(here) == labels(there) ? .holds : .refuted("\(labels(here)), \(labels(there))")
    },
  ]

  // MARK: - Problems

  public static let strata = [
    "plain", "crowded", "tiny", "border", "duplicate", "degenerate", "crowds", "empty",
  ]

  public func sample(_ stratum: String, using random: inout SplitMix) -> Problem {
    let count = stratum == "empty" ? 0 : stratum == "crowded" ? 5 : random.integer(1...3)
    var truths = (0..<count).map { _ in Self.box(stratum, using: &random) }
    if stratum == "duplicate" { truths.append(truths[0]) }
    if stratum == "degenerate" { truths[0].x2 = truths[0].x1 }
    let proposals = (0..<random.integer(0...24)).map { _ -> Box<Double> in
      guard let truth = truths.randomElement(using: &random), random.chance(0.7) else {
        return Self.box("plain", using: &random)
      }
      let reach = Swift.max(1, Int(truth.width))
      func away() -> Double { Double(random.integer(0...reach)) / 8 }
      return Box(
        x1: truth.x1 - away(), y1: truth.y1 + away() / 4, x2: truth.x2 + away(),
        y2: truth.y2 + away())
    }
    let classes = (0...3).filter { $0 != background }
    return Problem(
      proposals: proposals,
      truths: ImageTruths(truths, labels: truths.map { _ in random.pick(classes) }),
      crowds: stratum == "crowds" ? [Self.box("plain", using: &random)] : [],
      seed: random.next())
  }

  /// Corners in eighths of a pixel.
  private static func box(_ stratum: String, using random: inout SplitMix) -> Box<Double> {
    let sides = stratum == "tiny" ? 4...16 : 32...256
    let corner = stratum == "border" ? -160...0 : 0...384
    let (x, y) = (random.integer(corner), random.integer(corner))
    let (w, h) = (random.integer(sides), random.integer(sides))
    return Box([x, y, x + w, y + h].map { Double($0) / 8 })
  }
}

extension Tensor {
  /// Channel k of numbers whose last axis counts channels.
  func channel(_ k: Int) -> Tensor {
    Tensor(
      Array(shape.dropLast()),
      stride(from: k, to: data.count, by: columns).map { data[$0] })
  }
}
