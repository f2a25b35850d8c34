extension SimOTA {
  public static let laws: [AssignmentLaw<Self>] = [
    AssignmentLaw("1 ≤ k ≤ max(1, candidates), and as many picks where there are candidates") {
      simOTA, problem, solve in
      let matching = solve(simOTA, problem)
      let count = matching.candidates.count
      for (k, picks) in zip(matching.dynamicK, matching.picks)
      where k < 1 || k > max(1, count) || picks.count != min(k, count) {
        return .refuted("k = \(k), \(picks.count) picks of \(count) candidates")
      }
      return .holds
    },
    AssignmentLaw("owned are exactly the picked; without conflict, by the one that picked") {
      simOTA, problem, solve in
      let matching = solve(simOTA, problem)
      for (a, owner) in matching.owners.enumerated() {
        let pickers = matching.picks.indices.filter { matching.picks[$0].contains(a) }
        if pickers.isEmpty != (owner == nil) || (pickers.count == 1 && owner != pickers[0]) {
          return .refuted("prediction \(a), picked by \(pickers), has owner \(owner ?? -1)")
        }
        if (pickers.count > 1) != matching.conflicts.contains(a) {
          return .refuted("prediction \(a), picked by \(pickers): conflicts \(matching.conflicts)")
        }
      }
      return .holds
    },
    AssignmentLaw("the truths in reverse own the same, if no prediction costs two truths the same")
    {
      simOTA, problem, solve in
      let count = problem.truths.boxes.count
      guard !solve(simOTA, problem).hasTies else { return .holds }
      var reversed = problem
      reversed.truths = problem.truths.reversed
      let owners = solve(simOTA, reversed).owners.map { $0.map { count - 1 - $0 } }
      let here = solve(simOTA, problem).owners
      return owners == here ? .holds : .refuted("\(here) and \(owners)")
    },
    AssignmentLaw("a prediction that is no candidate, left out, changes nothing") {
      simOTA, problem, solve in
      let matching = solve(simOTA, problem)
      let rest = problem.points.indices.filter { !matching.candidates.contains($0) }
      guard let gone = rest.first else { return .holds }
      var smaller = problem
      smaller.points.remove(at: gone)
      smaller.boxes.remove(at: gone)
      smaller.objectness.remove(at: gone)
      let columns = problem.classes.columns
      smaller.classes.data.removeSubrange(gone * columns..<(gone + 1) * columns)
      smaller.classes.shape[0] -= 1
      var owners = solve(simOTA, smaller).owners
      owners.insert(nil, at: gone)
      return owners == matching.owners ? .holds : .refuted("without prediction \(gone): \(owners)")
    },
    AssignmentLaw("moved by 64 pixels, truths and predictions match as before") {
      simOTA, problem, solve in
      var moved = problem
      for i in moved.points.indices {
        moved.points[i].x += 64
        moved.boxes[i].cx += 64
      }
      for i in moved.truths.boxes.indices { moved.truths.boxes[i].cx += 64 }
      let (here, there) = (solve(simOTA, problem), solve(simOTA, moved))
      // Sides of whole 1/256 pixels keep every overlap's numbers.
      return here.owners == there.owners ? .holds : .refuted("\(here.owners) and \(there.owners)")
    },
  ]

  public static var configurations: [Configuration<Self>] {
    var older = Self()
    (older.window, older.radius) = (.boxOrCenter, 2.5)
    return [
      Configuration("default", Self()), Configuration("window = boxOrCenter, radius = 2.5", older),
    ]
  }

  public static let strata = [
    "plain", "crowded", "tiny", "border", "duplicate", "outside", "nobody", "sure",
  ]

  /// A 4 x 4 and a 2 x 2 grid of strides 8 and 16; all numbers are multiples of 1/256.
  public func sample(_ stratum: String, using random: inout SplitMix) -> Problem {
    func number(_ low: Double, _ high: Double) -> Double {
      (random.uniform(low, high) * 256).rounded() / 256
    }
    let classes = random.integer(1...4)
    var points: [Point] = []
    for (stride, side) in [(8.0, 4), (16.0, 2)] {
      for k in 0..<side * side {
        points.append(
          Point(
            x: (Double(k % side) + 0.5) * stride, y: (Double(k / side) + 0.5) * stride,
            stride: stride))
      }
    }
    let boxes = points.map { point in
      CenteredBox(
        cx: point.x + number(-4, 4), cy: point.y + number(-4, 4),
        w: number(0.25, 2) * point.stride, h: number(0.25, 2) * point.stride)
    }
    let reach = stratum == "sure" ? 30.0 : 4
    let count: Int
    switch stratum {
    case "nobody": count = 0
    case "crowded": count = random.integer(4...6)
    default: count = random.integer(1...3)
    }
    var truths = CenteredTruths()
    for _ in 0..<count {
      let side = stratum == "tiny" ? 1.0...5.0 : 6...26
      let edge: ClosedRange<Double>
      switch stratum {
      case "outside": edge = 60...90
      case "border": edge = -4...36
      case "crowded": edge = 14...18
      default: edge = 4...28
      }
      truths.boxes.append(
        CenteredBox(
          cx: number(edge.lowerBound, edge.upperBound),
          cy: number(edge.lowerBound, edge.upperBound),
          w: number(side.lowerBound, side.upperBound),
          h: number(side.lowerBound, side.upperBound)))
      truths.labels.append(random.integer(0...classes - 1))
    }
    if stratum == "duplicate", let first = truths.boxes.first {
      truths.boxes.append(first)
      truths.labels.append(truths.labels[0])
    }
    return Problem(
      points: points, boxes: boxes, objectness: points.map { _ in number(-reach, reach) },
      classes: Tensor(
        [points.count, classes], (0..<points.count * classes).map { _ in number(-reach, reach) }),
      truths: truths)
  }
}

extension SimOTA.Matching {
  /// Whether a candidate costs two truths the same, so that their order may decide.
  var hasTies: Bool {
    candidates.indices.contains { j in
      Set(costs.map { $0[j] }).count < costs.count
    }
  }
}
