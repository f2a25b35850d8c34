/// Hard negative mining: of one image's predictions, the negatives whose loss counts.
///
///     positives all count; of the others the k of the largest loss do, k = ratio · (number of positives)
///
/// Equal losses are taken in the order of their indices. What the rules differ in is what the positives
/// do in the ranking, which matters where k comes near the number of negatives.
///
/// Source: Liu et al. 2016, SSD, arXiv 1512.02325, section 2.2; ssd.pytorch 5b0b77f, torchvision 0.28.0,
/// mmdetection 3.3.0. Chapter: `Spec/Assignment/HardNegativeMining.md`.
public struct HardNegativeMining: Assignment {
  public static let name = "hard_negative_mining"

  /// The positives in the ranking.
  public enum Positives: Sendable {
    /// They are left out: at most every negative is mined (mmdetection).
    case excluded
    /// They rank with loss 0, and mining one has no effect; one prediction is never mined
    /// (ssd.pytorch).
    case ranksWithZero
    /// They rank last; one that is mined counts twice (torchvision).
    case last
  }

  /// The negatives that count for each positive.
  public var ratio = 3
  public var positives = Positives.excluded

  public init() {}

  public init(_ positives: Positives, ratio: Int = 3) {
    self.positives = positives
    self.ratio = ratio
  }

  /// The predictions of one image.
  public struct Problem: Sendable, Equatable {
    public var losses: [Double]
    public var isPositive: [Bool]

    public init(losses: [Double], isPositive: [Bool]) {
      self.losses = losses
      self.isPositive = isPositive
    }
  }

  public struct Matching: Sendable, Equatable {
    /// What was mined, by index; under some rules a positive may be.
    public let mined: [Int]
    /// How often the loss of each prediction counts.
    public let uses: [Int]
  }

  public func check(_ problem: Problem) throws(InvalidInput) {
    guard problem.losses.count == problem.isPositive.count else {
      throw InvalidInput(
        "isPositive", given: "\(problem.isPositive.count) entries",
        expected: "as many as losses, \(problem.losses.count)")
    }
    for (i, loss) in problem.losses.enumerated() where loss.isNaN || loss < 0 {
      throw InvalidInput("losses", index: i, given: "\(loss)", expected: "a number, at least 0")
    }
    guard ratio >= 0, ratio < 1 << 20 else {
      throw InvalidInput("ratio", given: "\(ratio)", expected: "0 ..< 2^20")
    }
  }

  // MARK: Reference

  public func reference(_ problem: Problem) -> Matching {
    let keys = keys(problem)
    let ranked = keys.indices.filter { keys[$0] != nil }.sorted { a, b in
      let (first, second) = (keys[a] ?? 0, keys[b] ?? 0)
      return first != second ? first > second : a < b
    }
    return matching(problem, mined: ranked.prefix(quota(problem)).sorted())
  }

  /// What each prediction is ranked by; nil where it takes no part.
  private func keys(_ problem: Problem) -> [Double?] {
    zip(problem.losses, problem.isPositive).map { loss, isPositive in
      guard isPositive else { return loss }
      return switch positives {
      case .excluded: nil
      case .ranksWithZero: 0
      case .last: -Double.infinity
      }
    }
  }

  /// k: the most that is mined.
  private func quota(_ problem: Problem) -> Int {
    let wanted = ratio * problem.isPositive.count { $0 }
    return positives == .ranksWithZero ? max(0, min(wanted, problem.losses.count - 1)) : wanted
  }

  private func matching(_ problem: Problem, mined: [Int]) -> Matching {
    var uses = problem.isPositive.map { $0 ? 1 : 0 }
    for i in mined {
      uses[i] = problem.isPositive[i] && positives == .last ? 2 : 1
    }
    return Matching(mined: mined, uses: uses)
  }

  // MARK: Optimized

  /// Selection instead of a sort: the k-th key of the ranking by repeated partition, then all before it.
  public func optimized(_ problem: Problem) -> Matching {
    let k = quota(problem)
    guard k > 0 else { return matching(problem, mined: []) }
    var ranked: [(key: Double, index: Int)] = []
    ranked.reserveCapacity(problem.losses.count)
    for (i, loss) in problem.losses.enumerated() {
      guard problem.isPositive[i] else {
        ranked.append((loss, i))
        continue
      }
      switch positives {
      case .excluded: continue
      case .ranksWithZero: ranked.append((0, i))
      case .last: ranked.append((-.infinity, i))
      }
    }
    if k < ranked.count { Self.select(k, of: &ranked) }
    return matching(problem, mined: ranked.prefix(k).map(\.index).sorted())
  }

  /// Brings the first k of the ranking to the front.
  private static func select(_ k: Int, of ranked: inout [(key: Double, index: Int)]) {
    func precedes(_ a: (key: Double, index: Int), _ b: (key: Double, index: Int)) -> Bool {
      a.key != b.key ? a.key > b.key : a.index < b.index
    }
    var (low, high) = (0, ranked.count - 1)
    while low < high {
      let pivot = ranked[low + (high - low) / 2]
      var (i, j) = (low, high)
      while i <= j {
        while precedes(ranked[i], pivot) { i += 1 }
        while precedes(pivot, ranked[j]) { j -= 1 }
        if i <= j {
          ranked.swapAt(i, j)
          i += 1
          j -= 1
        }
      }
      // Left of i nothing follows the pivot, right of j nothing precedes it.
      if k - 1 <= j {
        high = j
      } else if k - 1 >= i {
        low = i
      } else {
        return
      }
    }
  }
}

extension HardNegativeMining {
  public static let laws: [AssignmentLaw<Self>] = [
    AssignmentLaw("at most ratio · positives are mined") { mining, problem, solve in
      let positives = problem.isPositive.count { $0 }
      let mined = solve(mining, problem).mined.count
      return mined <= mining.ratio * positives
        ? .holds : .refuted("\(mined) mined of \(positives) positives")
    },
    AssignmentLaw("every positive counts once; twice only where positives rank last") {
      mining, problem, solve in
      let uses = solve(mining, problem).uses
      for (i, isPositive) in problem.isPositive.enumerated() where isPositive {
        let isTwice = uses[i] == 2 && mining.positives == .last
        if uses[i] != 1, !isTwice { return .refuted("positive \(i) counts \(uses[i]) times") }
      }
      return .holds
    },
    AssignmentLaw("no negative is left out whose loss is above that of one mined") {
      mining, problem, solve in
      let uses = solve(mining, problem).uses
      let negatives = uses.indices.filter { !problem.isPositive[$0] }
      let least = negatives.filter { uses[$0] == 1 }.map { problem.losses[$0] }.min() ?? .infinity
      let most = negatives.filter { uses[$0] == 0 }.map { problem.losses[$0] }.max() ?? 0
      return least >= most ? .holds : .refuted("\(most) is left out, \(least) is mined")
    },
    AssignmentLaw("the losses mined do not depend on the order of the predictions") {
      mining, problem, solve in
      func losses(_ problem: Problem) -> [Double] {
        let uses = solve(mining, problem).uses
        return uses.indices.filter { uses[$0] > 0 && !problem.isPositive[$0] }
          .map { problem.losses[$0] }.filter { $0 > 0 }.sorted()
      }
      let reversed = Problem(
        losses: problem.losses.reversed(), isPositive: problem.isPositive.reversed())
      return losses(problem) == losses(reversed) ? .holds : .refuted("other losses are mined")
    },
    AssignmentLaw("without positives nothing counts") { mining, problem, solve in
      var empty = problem
      empty.isPositive = problem.isPositive.map { _ in false }
      return solve(mining, empty).uses.allSatisfy { $0 == 0 }
        ? .holds : .refuted("something is mined")
    },
  ]

  public static var configurations: [Configuration<Self>] {
    [
      Configuration("mmdetection", Self(.excluded)),
      Configuration("ssd.pytorch", Self(.ranksWithZero)),
      Configuration("torchvision", Self(.last)),
      Configuration("ratio = 1", Self(.last, ratio: 1)),
    ]
  }

  public static let strata = ["plain", "few negatives", "equal", "none", "all", "single"]

  public func sample(_ stratum: String, using random: inout SplitMix) -> Problem {
    let count = stratum == "single" ? random.integer(0...1) : random.integer(2...60)
    let share =
      switch stratum {
      case "few negatives": 0.5
      case "none": 0.0
      case "all": 1.0
      default: 0.1
      }
    return Problem(
      losses: (0..<count).map { _ in
        stratum == "equal" ? Double(random.integer(0...3)) / 2 : random.uniform(0, 8)
      },
      isPositive: (0..<count).map { _ in random.chance(share) })
  }
}
