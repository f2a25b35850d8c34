/// SimOTA: each truth of an image gets as many of its cheapest predictions as its overlaps add up to.
///
///     cost(g, a) = Σ_c BCE(√(σ(o_a) σ(z_ac)); [c = c_g]) + λ (−ln(IoU(g, a) + ε))
///     k_g = max(1, ⌊Σ of the `overlapCount` largest IoU(g, ·)⌋)
///
/// 1. Candidates are the predictions whose point lies in the window of any truth.
/// 2. Each truth picks k_g candidates: those inside its own window first, then by cost.
/// 3. A candidate that several truths picked goes to the one, among all truths, that it is inside of
///    first and then costs least.
///
/// o and z are logits of objectness and class, λ = `overlapWeight`, ε = `overlapFloor`. Each logarithm of
/// the cross-entropies is at least −100.
///
/// Source: Ge et al. 2021, *YOLOX*, arXiv 2107.08430, section 2.1.
/// Chapter: `Spec/Assignment/SimOTA.md`.
public struct SimOTA: Assignment {
  public static let name = "simota"

  /// One image's predictions, in pixels, and its truths.
  public struct Problem: Sendable {
    public var points: [Point]
    public var boxes: [CenteredBox<Double>]
    public var objectness: [Double]
    /// [A, C].
    public var classes: Tensor
    public var truths: CenteredTruths

    public init(
      points: [Point], boxes: [CenteredBox<Double>], objectness: [Double], classes: Tensor,
      truths: CenteredTruths
    ) {
      self.points = points
      self.boxes = boxes
      self.objectness = objectness
      self.classes = classes
      self.truths = truths
    }
  }

  /// Where a prediction stands: the middle of its cell, and the cell's side.
  public struct Point: Sendable, Equatable {
    public var x, y, stride: Double

    public init(x: Double, y: Double, stride: Double) {
      (self.x, self.y, self.stride) = (x, y, stride)
    }
  }

  /// Two matchings are equal if they agree in everything discrete.
  public struct Matching: Sendable, Equatable {
    /// The predictions inside any truth's window, in their order.
    public var candidates: [Int]
    /// By truth and candidate: whether it is inside this truth's window.
    public var isInside: [[Bool]]
    /// By truth and candidate.
    public var overlaps: [[Double]]
    /// By truth and candidate, without any penalty for being outside.
    public var costs: [[Double]]
    /// k_g of each truth.
    public var dynamicK: [Int]
    /// The predictions that each truth picked, in order of preference.
    public var picks: [[Int]]
    /// The predictions that several truths picked.
    public var conflicts: [Int]
    /// The truth of each prediction; nil is background.
    public var owners: [Int?]

    public static func == (a: Self, b: Self) -> Bool {
      a.candidates == b.candidates && a.isInside == b.isInside && a.dynamicK == b.dynamicK
        && a.picks == b.picks && a.conflicts == b.conflicts && a.owners == b.owners
    }
  }

  public enum Window: Sendable {
    /// The square of `radius` strides about the truth's centre.
    case center
    /// That square or the truth's box makes a candidate; being in both is being inside.
    case boxOrCenter
  }

  public var window = Window.center
  /// Half the window's side, in strides.
  public var radius = 1.5
  public var overlapCount = 10
  public var overlapWeight = 3.0
  public var overlapFloor = 1e-8

  public init() {}

  public func check(_ problem: Problem) throws(InvalidInput) {
    let count = problem.points.count
    try problem.classes.check("classes", shape: [count, nil])
    for (name, given) in [
      ("boxes", problem.boxes.count), ("objectness", problem.objectness.count),
    ] where given != count {
      throw InvalidInput(name, given: "\(given)", expected: "as many as points, \(count)")
    }
    try problem.classes.checkFinite("classes")
    for i in 0..<count {
      let (point, box) = (problem.points[i], problem.boxes[i])
      let numbers = [point.x, point.y, point.stride, problem.objectness[i]] + box.numbers
      guard numbers.allSatisfy({ $0.magnitude <= CenteredTruths.largest }), box.w >= 0, box.h >= 0
      else {
        throw InvalidInput(
          "boxes", index: i, given: "\(numbers)",
          expected: "sizes of at least 0, numbers below 2^100")
      }
    }
    try problem.truths.check(image: 0, classes: problem.classes.columns)
    try checkSettings()
  }

  func checkSettings() throws(InvalidInput) {
    guard overlapCount >= 0 else {
      throw InvalidInput("overlapCount", given: "\(overlapCount)", expected: "at least 0")
    }
    for (name, value) in [
      ("radius", radius), ("overlapWeight", overlapWeight), ("overlapFloor", overlapFloor),
    ] where !(value >= 0 && value.isFinite) {
      throw InvalidInput(name, given: "\(value)", expected: "a number of at least 0")
    }
  }

  // MARK: Reference

  public func reference(_ problem: Problem) -> Matching {
    let truths = problem.truths.boxes
    let candidates = problem.points.indices.filter { a in
      truths.contains { isCandidate(problem.points[a], of: $0) }
    }
    let inside = truths.map { truth in
      candidates.map { isInside(problem.points[$0], truth) }
    }
    let overlaps = truths.map { truth in
      candidates.map { Self.overlap(truth.corners, problem.boxes[$0].corners) }
    }
    let costs = truths.indices.map { g in
      candidates.indices.map { j in
        classCost(problem, candidates[j], problem.truths.labels[g])
          - overlapWeight * .log(overlaps[g][j] + overlapFloor)
      }
    }
    let dynamicK = overlaps.map { row in
      max(1, Int(row.sorted(by: >).prefix(overlapCount).reduce(0, +)))
    }

    /// Inside before outside, then the lower cost, then the lower index.
    func prefers(_ a: (g: Int, j: Int), to b: (g: Int, j: Int)) -> Bool {
      if inside[a.g][a.j] != inside[b.g][b.j] { return inside[a.g][a.j] }
      return costs[a.g][a.j] < costs[b.g][b.j]
    }
    let picks = truths.indices.map { g in
      // The sort is stable only with its index.
      candidates.indices.sorted {
        prefers((g, $0), to: (g, $1)) || (!prefers((g, $1), to: (g, $0)) && $0 < $1)
      }.prefix(dynamicK[g])
    }
    var owners = [Int?](repeating: nil, count: problem.points.count)
    var conflicts: [Int] = []
    for j in candidates.indices {
      let pickers = truths.indices.filter { picks[$0].contains(j) }
      guard let first = pickers.first else { continue }
      var owner = first
      if pickers.count > 1 {
        conflicts.append(candidates[j])
        owner = 0
        for g in truths.indices where prefers((g, j), to: (owner, j)) { owner = g }
      }
      owners[candidates[j]] = owner
    }
    return Matching(
      candidates: candidates, isInside: inside, overlaps: overlaps, costs: costs,
      dynamicK: dynamicK, picks: picks.map { $0.map { candidates[$0] } }, conflicts: conflicts,
      owners: owners)
  }

  func isNear(_ point: Point, _ truth: CenteredBox<Double>) -> Bool {
    let reach = radius * point.stride
    return (point.x - truth.cx).magnitude < reach && (point.y - truth.cy).magnitude < reach
  }

  func isInBox(_ point: Point, _ truth: CenteredBox<Double>) -> Bool {
    (point.x - truth.cx).magnitude < 0.5 * truth.w && (point.y - truth.cy).magnitude < 0.5 * truth.h
  }

  private func isCandidate(_ point: Point, of truth: CenteredBox<Double>) -> Bool {
    isNear(point, truth) || (window == .boxOrCenter && isInBox(point, truth))
  }

  private func isInside(_ point: Point, _ truth: CenteredBox<Double>) -> Bool {
    isNear(point, truth) && (window == .center || isInBox(point, truth))
  }

  /// I / U, and 0 where both boxes are empty.
  static func overlap<S: Scalar>(_ a: Box<S>, _ b: Box<S>) -> S {
    let common = a.intersection(b)
    return .quotient(common, a.width * a.height + b.width * b.height - common)
  }

  /// Σ_c BCE(p_c; [c = label]), with ln p_c = (ln σ(o) + ln σ(z_c)) / 2.
  private func classCost(_ problem: Problem, _ a: Int, _ label: Int) -> Double {
    let columns = problem.classes.columns
    var cost = 0.0
    for c in 0..<columns {
      let logarithm = Self.logProbability(problem.objectness[a], problem.classes[a, c])
      cost += c == label ? -max(logarithm, -100) : -Self.logOfRest(logarithm)
    }
    return cost
  }

  private static func logProbability(_ objectness: Double, _ score: Double) -> Double {
    0.5 * (.logSigmoid(objectness) + .logSigmoid(score))
  }

  /// ln(1 − p) from ln p, at least −100.
  private static func logOfRest(_ logarithm: Double) -> Double {
    max(.log(-.expm1(logarithm)), -100)
  }

  // MARK: Optimized

  /// A candidate's cross-entropies are summed once, against no class at all, then corrected at each
  /// truth's class; and the best few are kept while scanning, instead of sorts.
  public func optimized(_ problem: Problem) -> Matching {
    let truths = problem.truths.boxes
    let (candidates, isInside) = windows(problem)
    var matching = Matching(
      candidates: candidates, isInside: isInside, overlaps: [], costs: [], dynamicK: [], picks: [],
      conflicts: [], owners: [Int?](repeating: nil, count: problem.points.count))

    let corners = candidates.map { problem.boxes[$0].corners }
    let columns = problem.classes.columns
    var logarithms = [Double](repeating: 0, count: candidates.count * columns)
    var rests = logarithms
    var background = [Double](repeating: 0, count: candidates.count)
    for (j, a) in candidates.enumerated() {
      for c in 0..<columns {
        let logarithm = Self.logProbability(problem.objectness[a], problem.classes[a, c])
        let rest = Self.logOfRest(logarithm)
        (logarithms[j * columns + c], rests[j * columns + c]) = (max(logarithm, -100), rest)
        background[j] -= rest
      }
    }
    var pickers = [Int](repeating: 0, count: candidates.count)
    for g in truths.indices {
      let (truth, label) = (truths[g].corners, problem.truths.labels[g])
      var overlaps = [Double](repeating: 0, count: candidates.count)
      var costs = overlaps
      for j in candidates.indices {
        overlaps[j] = Self.overlap(truth, corners[j])
        let at = j * columns + label
        costs[j] =
          background[j] + (rests[at] - logarithms[at])
          - overlapWeight * .log(overlaps[j] + overlapFloor)
      }
      let most = smallest(overlapCount, of: candidates.count) { overlaps[$0] > overlaps[$1] }
      let k = max(1, Int(most.reduce(0) { $0 + overlaps[$1] }))
      let picks = smallest(k, of: candidates.count) {
        isInside[g][$0] != isInside[g][$1] ? isInside[g][$0] : costs[$0] < costs[$1]
      }
      for j in picks {
        pickers[j] += 1
        matching.owners[candidates[j]] = g
      }
      matching.overlaps.append(overlaps)
      matching.costs.append(costs)
      matching.dynamicK.append(k)
      matching.picks.append(picks.map { candidates[$0] })
    }
    for j in candidates.indices where pickers[j] > 1 {
      let best = smallest(1, of: truths.count) {
        isInside[$0][j] != isInside[$1][j]
          ? isInside[$0][j] : matching.costs[$0][j] < matching.costs[$1][j]
      }
      matching.conflicts.append(candidates[j])
      matching.owners[candidates[j]] = best.first
    }
    return matching
  }
}
