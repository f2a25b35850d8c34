/// FCOS's assignment: a point of a level learns the smallest truth that it lies in, if that truth is of
/// the level's size.
///
///     l, t, r, b = x − x1, y − y1, x2 − x, y2 − y        min > 0: the point is inside
///     max(l, t, r, b) within the level's range
///     |point − centre of the truth|∞ < `centerRadius` · stride, where it is set
///
/// Among the truths that are left the smallest area wins; equal ones go to the first.
///
/// Source: Tian et al. 2019, FCOS, arXiv 1904.01355, section 3.2; FCOS a773f12, torchvision 0.28.0,
/// detectron2 02b5c4e. Chapter: `Spec/Assignment/FCOSPoints.md`.
public struct FCOSPoints: Assignment {
  public static let name = "fcos_points"

  /// What "smallest" means.
  public enum Area: Sendable {
    /// The least area.
    case exact
    /// The largest 1e8 − area in single precision, whose ulp there is 8: areas that round alike tie
    /// (torchvision, detectron2).
    case singlePrecision
  }

  /// Whether a level's range holds its ends, so that a truth may belong to two levels.
  public var isInclusive = true
  public var centerRadius: Double?
  public var area = Area.exact

  public init() {}

  /// The points of one level, all of one stride.
  public struct Level: Sendable, Equatable {
    public var stride: Double
    /// The largest distances to a side that the level learns; infinity may end the last range.
    public var least: Double
    public var most: Double
    public var points: [Point]

    public init(stride: Double, least: Double, most: Double, points: [Point]) {
      self.stride = stride
      self.least = least
      self.most = most
      self.points = points
    }

    /// Points in the middle of the cells of a grid, row by row.
    public init(stride: Double, least: Double, most: Double, rows: Int, columns: Int) {
      self.init(
        stride: stride, least: least, most: most,
        points: (0..<rows * columns).map { cell in
          Point(
            x: (Double(cell % columns) + 0.5) * stride, y: (Double(cell / columns) + 0.5) * stride)
        })
    }
  }

  public struct Point: Sendable, Equatable {
    public var x, y: Double

    public init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// One image: its levels, and its truths.
  public struct Problem: Sendable, Equatable {
    public var levels: [Level]
    public var boxes: [Box<Double>]

    public init(_ levels: [Level], _ boxes: [Box<Double>]) {
      self.levels = levels
      self.boxes = boxes
    }
  }

  /// Each point's truth, level by level; −1 is background.
  public typealias Matching = [Int]

  /// The area from which on a truth is no object: the frameworks' infinity.
  static let largestArea = 1e8

  public func check(_ problem: Problem) throws(InvalidInput) {
    try ImageTruths(problem.boxes, labels: problem.boxes.map { _ in 0 }).check(image: 0, classes: 1)
    for (l, level) in problem.levels.enumerated() {
      guard level.stride > 0, level.stride.isFinite else {
        throw InvalidInput(
          "stride", level: l, given: "\(level.stride)", expected: "a positive number")
      }
      guard level.least <= level.most else {
        throw InvalidInput(
          "range", level: l, given: "\(level.least) to \(level.most)", expected: "least ≤ most")
      }
      for (i, point) in level.points.enumerated() where !(point.x.isFinite && point.y.isFinite) {
        throw InvalidInput(
          "points", level: l, index: i, given: "(\(point.x), \(point.y))",
          expected: "finite numbers")
      }
    }
  }

  // MARK: Reference

  public func reference(_ problem: Problem) -> Matching {
    problem.levels.flatMap { level in
      level.points.map { point in
        let candidates = problem.boxes.indices.filter {
          learns(point, problem.boxes[$0], level) && rank(problem.boxes[$0]) != nil
        }
        // The first of the best ranks.
        return candidates.min {
          (rank(problem.boxes[$0]) ?? 0, $0) < (rank(problem.boxes[$1]) ?? 0, $1)
        } ?? -1
      }
    }
  }

  /// Whether the point may learn the truth at this level.
  private func learns(_ point: Point, _ box: Box<Double>, _ level: Level) -> Bool {
    let sides = [point.x - box.x1, point.y - box.y1, box.x2 - point.x, box.y2 - point.y]
    let (least, most) = (sides.min() ?? 0, sides.max() ?? 0)
    guard least > 0 else { return false }
    if isInclusive {
      guard level.least <= most, most <= level.most else { return false }
    } else {
      guard level.least < most, most < level.most else { return false }
    }
    guard let centerRadius else { return true }
    let dx = (point.x - (box.x1 + box.x2) / 2).magnitude
    let dy = (point.y - (box.y1 + box.y2) / 2).magnitude
    return max(dx, dy) < centerRadius * level.stride
  }

  /// What truths are taken by, least first; nil is no object.
  private func rank(_ box: Box<Double>) -> Double? {
    let area = box.width * box.height
    switch self.area {
    case .exact: return area < Self.largestArea ? area : nil
    case .singlePrecision:
      let key = Float(Self.largestArea) - Float(area)
      return key >= 1e-5 ? -Double(key) : nil
    }
  }

  // MARK: Optimized

  /// Truths by rank, so that a point takes the first that it learns.
  public func optimized(_ problem: Problem) -> Matching {
    var ranked: [(rank: Double, truth: Int)] = []
    for (truth, box) in problem.boxes.enumerated() {
      if let rank = rank(box) { ranked.append((rank, truth)) }
    }
    ranked.sort { ($0.rank, $0.truth) < ($1.rank, $1.truth) }
    let boxes = ranked.map { problem.boxes[$0.truth] }
    let centers = boxes.map { (x: ($0.x1 + $0.x2) / 2, y: ($0.y1 + $0.y2) / 2) }

    var owners = [Int](repeating: -1, count: problem.levels.reduce(0) { $0 + $1.points.count })
    var row = 0
    for level in problem.levels {
      let reach = centerRadius.map { $0 * level.stride } ?? .infinity
      for point in level.points {
        for (i, box) in boxes.enumerated() {
          let (l, r) = (point.x - box.x1, box.x2 - point.x)
          let (t, b) = (point.y - box.y1, box.y2 - point.y)
          guard l > 0, t > 0, r > 0, b > 0 else { continue }
          let most = max(max(l, r), max(t, b))
          let isWithin =
            isInclusive
            ? level.least <= most && most <= level.most : level.least < most && most < level.most
          let dx = (point.x - centers[i].x).magnitude
          let dy = (point.y - centers[i].y).magnitude
          guard isWithin, max(dx, dy) < reach else { continue }
          owners[row] = ranked[i].truth
          break
        }
        row += 1
      }
    }
    return owners
  }
}

extension FCOSPoints {
  public static let laws: [AssignmentLaw<Self>] = [
    AssignmentLaw("a point lies inside its truth") { points, problem, solve in
      let all = problem.levels.flatMap(\.points)
      for (i, owner) in solve(points, problem).enumerated() where owner >= 0 {
        let box = problem.boxes[owner]
        guard box.x1 < all[i].x, all[i].x < box.x2, box.y1 < all[i].y, all[i].y < box.y2 else {
          return .refuted("point \(i) is outside truth \(owner)")
        }
      }
      return .holds
    },
    AssignmentLaw("the order of the truths is irrelevant, no two ranks alike") {
      points, problem, solve in
      let ranks = problem.boxes.map { points.rank($0) }
      guard Set(ranks).count == ranks.count else { return .holds }
      let count = problem.boxes.count
      let other = solve(points, Problem(problem.levels, problem.boxes.reversed()))
      let back = other.map { $0 < 0 ? $0 : count - 1 - $0 }
      return back == solve(points, problem) ? .holds : .refuted("other owners")
    },
    AssignmentLaw("no truths, no owners") { points, problem, solve in
      solve(points, Problem(problem.levels, [])).allSatisfy { $0 == -1 }
        ? .holds : .refuted("an owner without truths")
    },
    AssignmentLaw("with exact areas, no other truth that a point may learn is smaller") {
      points, problem, solve in
      guard points.area == .exact else { return .holds }
      let all = problem.levels.flatMap { level in level.points.map { (level, $0) } }
      for (i, owner) in solve(points, problem).enumerated() where owner >= 0 {
        let own = problem.boxes[owner]
        for box in problem.boxes where points.learns(all[i].1, box, all[i].0) {
          if box.width * box.height < own.width * own.height {
            return .refuted("point \(i) passes a smaller truth over")
          }
        }
      }
      return .holds
    },
    AssignmentLaw("moved by a power of two, the same owners") { points, problem, solve in
      func moved(_ box: Box<Double>) -> Box<Double> {
        Box(x1: box.x1 + 64, y1: box.y1 + 64, x2: box.x2 + 64, y2: box.y2 + 64)
      }
      let levels = problem.levels.map { level in
        var level = level
        level.points = level.points.map { Point(x: $0.x + 64, y: $0.y + 64) }
        return level
      }
      let there = Problem(levels, problem.boxes.map(moved))
      return solve(points, there) == solve(points, problem) ? .holds : .refuted("other owners")
    },
  ]

  /// Strict ranges, centres only, areas in single precision.
  public static var torchvision: Self {
    var points = Self()
    points.isInclusive = false
    points.centerRadius = 1.5
    points.area = .singlePrecision
    return points
  }

  public static var configurations: [Configuration<Self>] {
    var centers = Self()
    centers.centerRadius = 1.5
    return [
      Configuration("FCOS", Self()),
      Configuration("torchvision, detectron2", torchvision),
      Configuration("FCOS, centres only", centers),
    ]
  }

  public static let strata = ["plain", "crowded", "tiny", "border", "duplicate", "empty"]

  public func sample(_ stratum: String, using random: inout SplitMix) -> Problem {
    Problem(Self.sampleLevels(isInclusive), Self.boxes(stratum, using: &random))
  }

  /// A 64 x 64 image at strides 8, 16 and 32.
  static func sampleLevels(_ isInclusive: Bool) -> [Level] {
    [
      Level(stride: 8, least: isInclusive ? -1 : 0, most: 20, rows: 8, columns: 8),
      Level(stride: 16, least: 20, most: 40, rows: 4, columns: 4),
      Level(stride: 32, least: 40, most: isInclusive ? 1e8 : .infinity, rows: 2, columns: 2),
    ]
  }

  /// Truths in eighths of a pixel.
  static func boxes(_ stratum: String, using random: inout SplitMix) -> [Box<Double>] {
    let most =
      switch stratum {
      case "empty": 0
      case "crowded": 8
      default: 4
      }
    let sides = stratum == "tiny" ? 1...64 : 32...512
    let place = stratum == "border" ? -160...480 : 0...400
    var boxes = (0..<random.integer(min(1, most)...most)).map { _ in
      let (x, y) = (Double(random.integer(place)) / 8, Double(random.integer(place)) / 8)
      return Box(
        x1: x, y1: y, x2: x + Double(random.integer(sides)) / 8,
        y2: y + Double(random.integer(sides)) / 8)
    }
    if stratum == "duplicate" { boxes += boxes.prefix(1) }
    return boxes
  }
}
