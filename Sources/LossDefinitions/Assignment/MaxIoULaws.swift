extension MaxIoU {
  public static let laws: [AssignmentLaw<Self>] = [
    AssignmentLaw("an anchor is positive exactly if it learns a truth") { rule, problem, solve in
      let matching = solve(rule, problem)
      for (a, (label, owner)) in zip(matching.labels, matching.owners).enumerated()
      where (label == 1) != (owner != nil) {
        return .refuted("anchor \(a) has label \(label) and truth \(owner as Any)")
      }
      return .holds
    },
    AssignmentLaw("an anchor whose largest overlap reaches the positive threshold is positive") {
      rule, problem, solve in
      let matching = solve(rule, problem)
      for (a, u) in matching.overlaps.enumerated()
      where u >= rule.positiveThreshold && matching.labels[a] != 1 {
        return .refuted("anchor \(a) overlaps a truth by \(u)")
      }
      return .holds
    },
    AssignmentLaw("below the threshold a positive anchor attains the maximum of a truth") {
      rule, problem, solve in
      let matching = solve(rule, problem)
      for (a, u) in matching.overlaps.enumerated()
      where u < rule.positiveThreshold && matching.labels[a] == 1 {
        let own = problem.truths.map { problem.anchors[a].overlap($0) }
        guard zip(own, matching.maxima).contains(where: ==) else {
          return .refuted("anchor \(a) is positive at \(u) and no truth's best")
        }
      }
      return .holds
    },
    AssignmentLaw("a truth whose maximum reaches the minimum has a positive best anchor") {
      rule, problem, solve in
      guard let lowQuality = rule.lowQuality, !problem.anchors.isEmpty else { return .holds }
      let matching = solve(rule, problem)
      for (g, truth) in problem.truths.enumerated() where matching.maxima[g] >= lowQuality.minimum {
        let best = problem.anchors.indices.filter {
          problem.anchors[$0].overlap(truth) == matching.maxima[g]
        }
        guard best.contains(where: { matching.labels[$0] == 1 }) else {
          return .refuted("no best anchor of truth \(g) is positive")
        }
      }
      return .holds
    },
    AssignmentLaw("labels do not depend on the order of the truths") { rule, problem, solve in
      same(solve(rule, problem).labels, solve(rule, problem.reversed).labels)
    },
    AssignmentLaw(
      "without ties the truths that anchors learn do not depend on their order, if none takes anchors"
    ) { rule, problem, solve in
      let matching = solve(rule, problem)
      guard rule.lowQuality?.takesAnchors != true, !problem.hasTies(in: matching) else {
        return .holds
      }
      let turned = solve(rule, problem.reversed).owners.map { owner in
        owner.map { problem.truths.count - 1 - $0 }
      }
      return same(matching.owners, turned)
    },
    AssignmentLaw("unchanged under scaling by a power of two") { rule, problem, solve in
      same(solve(rule, problem), solve(rule, problem.scaled(by: 4)))
    },
    AssignmentLaw("without truths no anchor is positive, without crowds and floor all are negative")
    {
      rule, problem, solve in
      var empty = problem
      empty.truths = []
      let labels = solve(rule, empty).labels
      let isPlain = problem.crowds.isEmpty && rule.negativeFloor == 0
      return labels.allSatisfy { isPlain ? $0 == 0 : $0 != 1 } ? .holds : .refuted("\(labels)")
    },
    AssignmentLaw("a crowd turns negatives to ignored ones, and changes nothing else") {
      rule, problem, solve in
      var open = problem
      open.crowds = []
      let (with, without) = (solve(rule, problem), solve(rule, open))
      for (a, (label, before)) in zip(with.labels, without.labels).enumerated()
      where label != before && !(label == -1 && before == 0) {
        return .refuted("anchor \(a) turns from \(before) to \(label)")
      }
      return same(with.owners, without.owners)
    },
  ]

  private static func same<T: Equatable>(_ a: T, _ b: T) -> Verdict {
    a == b ? .holds : .refuted("\(a) ≠ \(b)")
  }

  public static var configurations: [Configuration<Self>] {
    [
      Configuration("default", Self()),
      Configuration("RetinaNet", Self(positive: 0.5, negative: 0.4)),
      Configuration("Matterport 0.2", .matterport),
      Configuration("MMDetection RPN", .mmdetection(positive: 0.7, negative: 0.3, minimum: 0.3)),
      Configuration(
        "MMDetection RetinaNet", .mmdetection(positive: 0.5, negative: 0.4, minimum: 0)),
      Configuration("MMDetection R-CNN", Self(positive: 0.5, negative: 0.5, lowQuality: nil)),
      Configuration("with a floor", .floored),
    ]
  }

  /// The RPN of Matterport's Mask R-CNN 0.2 and before: the first best anchor of each truth alone.
  public static var matterport: Self {
    Self(positive: 0.7, negative: 0.3, lowQuality: LowQuality(.firstMaximum))
  }

  /// MMDetection's assigner: truths take their best anchors, from a minimal overlap (`min_pos_iou`) on.
  public static func mmdetection(
    positive: Double, negative: Double, minimum: Double,
    _ anchors: LowQuality.Anchors = .everyMaximum
  ) -> Self {
    Self(
      positive: positive, negative: negative,
      lowQuality: LowQuality(anchors, takesAnchors: true, minimum: minimum))
  }

  private static var floored: Self {
    var rule = Self(positive: 0.5, negative: 0.5)
    rule.negativeFloor = 0.1
    return rule
  }

  // MARK: - Problems

  public static let strata = [
    "plain", "crowded", "tiny", "border", "duplicate", "apart", "degenerate", "crowd", "empty",
  ]

  public func sample(_ stratum: String, using random: inout SplitMix) -> Problem {
    let anchors = AnchorSamples.anchors(using: &random)
    var truths = AnchorSamples.truths(stratum, near: anchors, using: &random)
    if stratum == "degenerate", let first = truths.first {
      truths[0] = Box(x1: first.x1, y1: first.y1, x2: first.x1, y2: first.y2)
    }
    let crowds =
      stratum == "crowd" ? AnchorSamples.truths("plain", near: anchors, using: &random) : []
    return Problem(anchors: anchors, truths: truths, crowds: crowds)
  }
}

extension MaxIoU.Problem {
  fileprivate var reversed: Self {
    Self(anchors: anchors, truths: truths.reversed(), crowds: crowds)
  }

  /// Whether two truths share a positive anchor's largest overlap.
  func hasTies(in matching: MaxIoU.Matching) -> Bool {
    anchors.indices.contains { a in
      matching.labels[a] == 1
        && truths.count { anchors[a].overlap($0) == matching.overlaps[a] } > 1
    }
  }

  fileprivate func scaled(by factor: Double) -> Self {
    func scaled(_ boxes: [Box<Double>]) -> [Box<Double>] {
      boxes.map { Box($0.corners.map { $0 * factor }) }
    }
    return Self(anchors: scaled(anchors), truths: scaled(truths), crowds: scaled(crowds))
  }
}

/// Anchors of a small feature map, and truths about them: what objectives with anchors are sampled on.
enum AnchorSamples {
  /// Anchors of one to three shapes at each place of a grid, level after level, in eighths of a pixel.
  static func anchors(using random: inout SplitMix) -> [Box<Double>] {
    let shapes = random.integer(1...3)
    let levels = random.integer(1...2)
    return (0..<levels).flatMap { level in
      let stride = Double(16 << level)
      let side = 64 / (16 << level) - random.integer(0...1)
      return (0..<Swift.max(1, side)).flatMap { y in
        (0..<Swift.max(1, side)).flatMap { x in
          (0..<shapes).map { shape in
            let w = stride * [1, 0.75, 1.375][shape] / 2
            let h = stride * [1, 1.375, 0.75][shape] / 2
            let (cx, cy) = ((Double(x) + 0.5) * stride, (Double(y) + 0.5) * stride)
            return Box(x1: cx - w, y1: cy - h, x2: cx + w, y2: cy + h)
          }
        }
      }
    }
  }

  /// Truths of positive sides: anchors moved and stretched, or boxes anywhere.
  static func truths(
    _ stratum: String, near anchors: [Box<Double>], using random: inout SplitMix
  ) -> [Box<Double>] {
    let most = stratum == "empty" ? 0 : stratum == "crowded" ? 5 : 3
    let least = ["degenerate", "apart", "duplicate"].contains(stratum) ? 1 : 0
    var truths = (0..<random.integer(Swift.min(least, most)...most)).map { _ in
      switch stratum {
      case "tiny": anywhere(sides: 1...24, using: &random)
      case "border": anywhere(from: -160...(-8), sides: 160...400, using: &random)
      case "plain" where random.chance(0.25): anywhere(sides: 32...256, using: &random)
      default: near(random.pick(anchors), using: &random)
      }
    }
    if stratum == "duplicate" { truths.append(truths[0]) }
    if stratum == "apart" {
      truths.append(anywhere(from: 1200...1600, sides: 64...128, using: &random))
    }
    return truths
  }

  private static func near(
    _ anchor: Box<Double>, using random: inout SplitMix
  ) -> Box<Double> {
    func moved(_ x: Double, _ side: Double) -> Double {
      x + Double(random.integer(-16...16)) / 64 * side
    }
    let (w, h) = (anchor.width, anchor.height)
    return Box(
      x1: moved(anchor.x1, w), y1: moved(anchor.y1, h), x2: moved(anchor.x2, w),
      y2: moved(anchor.y2, h))
  }

  /// Corners in eighths of a pixel.
  private static func anywhere(
    from range: ClosedRange<Int> = 0...384, sides: ClosedRange<Int>,
    using random: inout SplitMix
  ) -> Box<Double> {
    let (x, y) = (Double(random.integer(range)) / 8, Double(random.integer(range)) / 8)
    return Box(
      x1: x, y1: y, x2: x + Double(random.integer(sides)) / 8,
      y2: y + Double(random.integer(sides)) / 8)
  }
}
