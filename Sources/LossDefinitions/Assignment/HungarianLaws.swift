extension Hungarian {
  public static let laws: [AssignmentLaw<Self>] = [
    AssignmentLaw("each agent has a partner, nobody two") { _, problem, solve in
      let matching = solve(Self(), problem)
      let pairs = matching.pairs
      guard pairs.count == problem.shape.min() ?? 0 else {
        return .refuted("\(pairs.count) pairs of \(problem.shape)")
      }
      for (i, j) in pairs where matching.rows[j] != i {
        return .refuted("row \(i) has column \(j), which has row \(matching.rows[j] ?? -1)")
      }
      return matching.rows.count { $0 != nil } == pairs.count
        ? .holds : .refuted("columns and rows do not name the same pairs")
    },
    AssignmentLaw(
      "there are prices u, v with uᵢ + vⱼ ≤ c(i, j), equal at the pairs, and v ≤ 0, 0 where a partner "
        + "is left alone: no matching is cheaper"
    ) { _, problem, solve in
      let matching = solve(Self(), problem)
      return Prices(problem, matching) != nil
        ? .holds : .refuted("exchanging partners makes \(matching.cost) less")
    },
    AssignmentLaw("adding 1 to one agent's costs changes no pair") { _, problem, solve in
      let (m, n) = (problem.shape[0], problem.shape[1])
      guard m > 0, n > 0 else { return .holds }
      var raised = problem
      for k in 0..<max(m, n) { raised.data[m <= n ? k : k * n] += 1 }
      return same(solve(Self(), problem), solve(Self(), raised))
    },
    AssignmentLaw("scaling the costs by 1/2 changes no pair") { _, problem, solve in
      same(solve(Self(), problem), solve(Self(), problem.map { 0.5 * $0 }))
    },
    .costs("reversing the rows") { problem in
      let n = problem.columns
      return Tensor(
        problem.shape,
        problem.data.indices.map { k in
          problem.data[(problem.shape[0] - 1 - k / n) * n + k % n]
        })
    },
    .costs("exchanging rows and columns") { problem in
      let (m, n) = (problem.shape[0], problem.shape[1])
      return Tensor([n, m], problem.data.indices.map { problem.data[$0 % m * n + $0 / m] })
    },
  ]

  private static func same(_ a: Matching, _ b: Matching) -> Verdict {
    a.columns == b.columns ? .holds : .refuted("\(a.columns) and \(b.columns)")
  }

  public static let strata = [
    "square", "wide", "tall", "ties", "two levels", "one agent", "nobody",
  ]

  /// Costs are multiples of 2^-20 below 2^20, so that sums of them are exact in Double, too.
  public func sample(_ stratum: String, using random: inout SplitMix) -> Tensor {
    var (m, n) = (random.integer(1...6), random.integer(1...6))
    switch stratum {
    case "wide": n = m + random.integer(1...6)
    case "tall": m = n + random.integer(1...6)
    case "one agent": m = 1
    case "nobody": if random.chance(0.5) { m = 0 } else { n = 0 }
    default: n = random.chance(0.7) ? m : n
    }
    return Tensor(
      [m, n],
      (0..<m * n).map { _ in
        switch stratum {
        case "ties": return Double(random.integer(0...2))
        case "two levels":
          return (random.chance(0.5) ? 0x1p19 : 0) + (random.uniform(0, 8) * 0x1p20).rounded()
            * 0x1p-20
        default: return (random.uniform(-4, 8) * 0x1p20).rounded() * 0x1p-20
        }
      })
  }
}

extension AssignmentLaw where A == Hungarian {
  fileprivate static func costs(
    _ change: String, _ transform: @escaping @Sendable (Tensor) -> Tensor
  ) -> Self {
    Self("\(change) keeps the cost") { hungarian, problem, solve in
      let (here, there) = (solve(hungarian, problem), solve(hungarian, transform(problem)))
      return here.cost == there.cost ? .holds : .refuted("\(here.cost) and \(there.cost)")
    }
  }
}

extension Hungarian.Matching {
  /// The pairs (row, column), by rows.
  public var pairs: [(row: Int, column: Int)] {
    columns.enumerated().compactMap { row, column in column.map { (row, $0) } }
  }
}

extension Hungarian {
  /// What proves a matching cheapest: for each agent and partner a price, in whole units, with
  ///
  ///     uᵢ + vⱼ ≤ c(i, j) everywhere, equal at the pairs
  ///
  /// and, if any partner is left alone, vⱼ ≤ 0 everywhere and vⱼ = 0 there. Any matching costs at least
  /// Σ uᵢ + Σ vⱼ, which is what this one costs.
  public struct Prices: Sendable, Equatable {
    public var agents: [Int]
    public var partners: [Int]

    /// The prices of a matching; nil if it is not a cheapest one.
    public init?(_ problem: Tensor, _ matching: Matching) {
      let costs = AgentCosts(problem)
      let given = problem.shape[0] <= problem.shape[1] ? matching.columns : matching.rows
      let partnerOf = given.compactMap { $0 }
      let isHeld = Set(partnerOf)
      guard isHeld.count == costs.agents else { return nil }
      // −vⱼ is what the cheapest chain costs by which the holder of j moves to another partner, whose
      // holder moves on, and so on to one that is alone. A round of moves that saves never settles.
      let hasAlone = costs.agents < costs.partners
      let far = Int.max / 4
      var chain = (0..<costs.partners).map { hasAlone && isHeld.contains($0) ? far : 0 }
      var isSettled = false
      for _ in 0...costs.agents where !isSettled {
        isSettled = true
        for (agent, own) in partnerOf.enumerated() {
          for next in 0..<costs.partners where chain[next] < far {
            let longer = chain[next] + costs[agent, next] - costs[agent, own]
            if longer < chain[own] { (chain[own], isSettled) = (longer, false) }
          }
        }
      }
      guard isSettled, !hasAlone || chain.allSatisfy({ $0 >= 0 }) else { return nil }
      agents = partnerOf.enumerated().map { costs[$0, $1] + chain[$1] }
      partners = chain.map { -$0 }
    }
  }
}
