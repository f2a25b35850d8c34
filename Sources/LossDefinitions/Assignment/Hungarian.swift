/// Minimum-cost matching: as many pairs of a row and a column as fit, at the least total cost.
///
///     min Σ c(i, π(i)) over one-to-one π
///
/// c is a matrix of m rows and n columns. The members of the smaller side (the rows, if m = n) are the
/// agents: each gets a partner of its own from the other side. Costs are read to the nearest multiple
/// of 2^(e − 44), 2^e being the largest power of two that is at most max |c|, so that every sum is
/// exact. Among matchings of equal cost the lexicographically smallest is taken: the first agent gets
/// the lowest partner that any of them gives it, then the second, and so on.
///
/// Source: Kuhn, *The Hungarian method for the assignment problem*, 1955; by shortest paths: Jonker and
/// Volgenant, 1987. Chapter: `Spec/Assignment/Hungarian.md`.
public struct Hungarian: Assignment {
  public static let name = "hungarian"

  /// The costs, [m, n].
  public typealias Problem = Tensor

  public struct Matching: Sendable, Equatable {
    /// The column of each row; nil where it has none.
    public var columns: [Int?]
    /// The row of each column; nil where it has none.
    public var rows: [Int?]
    /// The sum of the pairs' costs, in the order of the rows.
    public var cost: Double
  }

  public init() {}

  public func check(_ problem: Tensor) throws(InvalidInput) {
    try problem.check("cost", shape: [nil, nil])
    if let at = problem.data.firstIndex(where: { !$0.isFinite }) {
      throw InvalidInput(
        "cost", index: at,
        given: "\(problem.data[at]) in row \(at / problem.columns), column \(at % problem.columns)",
        expected: "a finite number")
    }
    if problem.shape[0] > Self.mostAgents, problem.shape[1] > Self.mostAgents {
      throw InvalidInput(
        "cost", given: "shape \(problem.shape)", expected: "a side of at most \(Self.mostAgents)")
    }
  }

  // MARK: Reference

  /// Each agent in turn takes the lowest partner with which the others can still reach the least cost.
  public func reference(_ problem: Tensor) -> Matching {
    let costs = AgentCosts(problem)
    var free = Array(0..<costs.partners)
    var least = leastCost(costs, of: 0..<costs.agents, among: free)
    var partnerOf: [Int] = []
    for agent in 0..<costs.agents {
      for partner in free {
        let others = leastCost(
          costs, of: agent + 1..<costs.agents, among: free.filter { $0 != partner })
        guard costs[agent, partner] + others == least else { continue }
        partnerOf.append(partner)
        free.removeAll { $0 == partner }
        least = others
        break
      }
    }
    return costs.matching(partnerOf)
  }

  /// The least cost of giving each agent a partner of its own: agents come one after the other, each by
  /// the cheapest chain of moves: it takes a partner, whose holder takes another, until one is free.
  private func leastCost(
    _ costs: AgentCosts, of agents: Range<Int>, among partners: [Int]
  ) -> Int {
    var holder = [Int?](repeating: nil, count: costs.partners)
    var total = 0
    for agent in agents {
      // What a chain that ends by taking this partner costs, and the partner taken before.
      var chain = (0..<costs.partners).map { costs[agent, $0] }
      var before = [Int?](repeating: nil, count: costs.partners)
      var isSettled = false
      while !isSettled {
        isSettled = true
        for taken in partners {
          guard let other = holder[taken] else { continue }
          for next in partners {
            let longer = chain[taken] + costs[other, next] - costs[other, taken]
            guard longer < chain[next] else { continue }
            (chain[next], before[next], isSettled) = (longer, taken, false)
          }
        }
      }
      let free = partners.filter { holder[$0] == nil }
      guard var end = free.min(by: { chain[$0] < chain[$1] }) else { return total }
      total += chain[end]
      while let previous = before[end] {
        holder[end] = holder[previous]
        end = previous
      }
      holder[end] = agent
    }
    return total
  }

  // MARK: Optimized

  /// Shortest augmenting paths at prices: O(k² l) for k agents and l partners, k ≤ l.
  ///
  /// u and v keep every c(i, j) − uᵢ − vⱼ ≥ 0, and 0 at the pairs; v ≤ 0, and 0 where nobody holds j.
  /// At those prices a cheapest chain is a shortest path over lengths that are not negative.
  public func optimized(_ problem: Tensor) -> Matching {
    let costs = AgentCosts(problem)
    let (agents, partners) = (costs.agents, costs.partners)
    var u = [Int](repeating: 0, count: agents)
    var v = [Int](repeating: 0, count: partners)
    var holder = [Int](repeating: -1, count: partners)
    var reach = v
    var before = holder
    var isReached = [Bool](repeating: false, count: partners)
    for newcomer in 0..<agents {
      for j in 0..<partners { (reach[j], before[j], isReached[j]) = (.max, -1, false) }
      var (mover, last) = (newcomer, -1)
      repeat {
        if last >= 0 { isReached[last] = true }
        var (step, next) = (Int.max, -1)
        for j in 0..<partners where !isReached[j] {
          let length = costs[mover, j] - u[mover] - v[j]
          if length < reach[j] { (reach[j], before[j]) = (length, last) }
          if reach[j] < step { (step, next) = (reach[j], j) }
        }
        u[newcomer] += step
        for j in 0..<partners {
          if isReached[j] {
            u[holder[j]] += step
            v[j] -= step
          } else {
            reach[j] -= step
          }
        }
        last = next
        mover = holder[last]
      } while mover >= 0
      while last >= 0 {
        let previous = before[last]
        holder[last] = previous < 0 ? newcomer : holder[previous]
        last = previous
      }
    }
    return costs.matching(lowest(costs, u, v, &holder))
  }

  /// The lexicographically smallest of the cheapest matchings: those whose pairs have
  /// c(i, j) = uᵢ + vⱼ, and which leave only partners of price 0 alone.
  private func lowest(
    _ costs: AgentCosts, _ u: [Int], _ v: [Int], _ holder: inout [Int]
  ) -> [Int] {
    var partnerOf = [Int](repeating: -1, count: costs.agents)
    for (j, agent) in holder.enumerated() where agent >= 0 { partnerOf[agent] = j }
    for agent in 0..<costs.agents {
      let own = partnerOf[agent]
      let lower = (0..<own).filter {
        costs[agent, $0] == u[agent] + v[$0] && !(0..<agent).contains(holder[$0])
      }
      guard !lower.isEmpty else { continue }

      // From where later agents can move on, one after the other, so that the last of them takes the
      // agent's own partner.
      var moves = Moves(costs, u, v)
      moves.open(own)
      moves.search(partnerOf, after: agent)
      let direct = moves.ends.count
      // Or a partner that is free, if the own one may stay alone, or be taken from one that may.
      let spare = moves.ends.first { v[$0] == 0 }
      if spare != nil {
        for j in holder.indices where holder[j] < 0 { moves.open(j) }
        moves.search(partnerOf, after: agent)
      }
      guard let place = lower.first(where: { moves.isOpen[$0] }) else { continue }

      holder[own] = -1
      if let spare, spare != own, !moves.ends.prefix(direct).contains(place) {
        let mover = holder[spare]
        holder[spare] = -1
        moves.make(mover, to: moves.onward[spare], &holder, &partnerOf)
      }
      moves.make(agent, to: place, &holder, &partnerOf)
    }
    return partnerOf
  }
}

/// Chains of moves of equal cost, backwards from where they end.
private struct Moves {
  private let costs: AgentCosts
  private let u, v: [Int]
  /// The partners from which chains are known, in the order of their discovery.
  private(set) var ends: [Int] = []
  private(set) var isOpen: [Bool]
  /// Where the holder of a partner moves.
  private(set) var onward: [Int]
  private var searched = 0

  init(_ costs: AgentCosts, _ u: [Int], _ v: [Int]) {
    self.costs = costs
    (self.u, self.v) = (u, v)
    isOpen = [Bool](repeating: false, count: costs.partners)
    onward = [Int](repeating: -1, count: costs.partners)
  }

  mutating func open(_ end: Int) {
    isOpen[end] = true
    ends.append(end)
  }

  /// Extends the chains by the agents after one.
  mutating func search(_ partnerOf: [Int], after agent: Int) {
    while searched < ends.count {
      let end = ends[searched]
      for other in agent + 1..<costs.agents {
        let place = partnerOf[other]
        guard !isOpen[place], costs[other, end] == u[other] + v[end] else { continue }
        onward[place] = end
        open(place)
      }
      searched += 1
    }
  }

  /// Lets an agent take a partner, its holder the next of the chain, and so on.
  func make(_ agent: Int, to partner: Int, _ holder: inout [Int], _ partnerOf: inout [Int]) {
    var (mover, place) = (agent, partner)
    while mover >= 0 {
      let moved = holder[place]
      (holder[place], partnerOf[mover]) = (mover, place)
      (mover, place) = (moved, onward[place])
    }
  }
}

// MARK: - Costs in whole units

extension Hungarian {
  /// With at most so many agents no sum of costs or prices overflows.
  static let mostAgents = 1 << 16
}

/// The costs in whole units, one row an agent.
struct AgentCosts {
  let agents: Int
  let partners: Int
  private let units: [Int]
  private let problem: Tensor
  private let agentsAreRows: Bool

  init(_ problem: Tensor) {
    self.problem = problem
    let (m, n) = (problem.shape[0], problem.shape[1])
    agentsAreRows = m <= n
    agents = min(m, n)
    partners = max(m, n)
    let largest = problem.data.reduce(0) { max($0, $1.magnitude) }
    let scale = largest > 0 ? 44 - Int(largest.exponent) : 0
    let flat = problem.data.map { cost in
      Int(exactly: Double(sign: .plus, exponent: scale, significand: cost).rounded()) ?? 0
    }
    units = agentsAreRows ? flat : (0..<flat.count).map { flat[$0 % m * n + $0 / m] }
  }

  subscript(_ agent: Int, _ partner: Int) -> Int { units[agent * partners + partner] }

  func matching(_ partnerOf: [Int]) -> Hungarian.Matching {
    var agentOf = [Int?](repeating: nil, count: partners)
    for (agent, partner) in partnerOf.enumerated() { agentOf[partner] = agent }
    let partners: [Int?] = partnerOf
    let (columns, rows) = agentsAreRows ? (partners, agentOf) : (agentOf, partners)
    var cost = 0.0
    for (i, j) in columns.enumerated() { if let j { cost += problem[i, j] } }
    return Hungarian.Matching(columns: columns, rows: rows, cost: cost)
  }
}
