import LossDefinitions
import Testing

@Suite struct HungarianTests {
  private func both(_ rows: [[Double]]) throws -> Hungarian.Matching {
    let problem = Tensor([rows.count, rows.first?.count ?? 0], rows.flatMap { $0 })
    try Hungarian().check(problem)
    let matching = Hungarian().reference(problem)
    #expect(Hungarian().optimized(problem) == matching)
    return matching
  }

  /// The chapter's example: nobody has the cheapest partner of its own.
  @Test func example() throws {
    let matching = try both([[4, 1, 3], [2, 0, 5], [3, 2, 2]])
    #expect(matching.columns == [1, 0, 2] && matching.rows == [1, 0, 2] && matching.cost == 5)
    let problem = Tensor([3, 3], [4, 1, 3, 2, 0, 5, 3, 2, 2])
    #expect(Hungarian.Prices(problem, matching) != nil)
    var other = matching
    (other.columns, other.rows, other.cost) = ([0, 1, 2], [0, 1, 2], 6)
    #expect(Hungarian.Prices(problem, other) == nil)
  }

  @Test func tiesTakeTheLowestPartners() throws {
    #expect(try both([[0, 0, 0], [0, 0, 0]]).columns == [0, 1])
    #expect(try both([[1, 1, 0], [1, 1, 0], [0, 0, 0]]).columns == [0, 2, 1])
    // More rows than columns: the columns choose, the first one first.
    #expect(try both([[0, 0], [0, 0], [0, 0]]).rows == [0, 1])
    // Two exchanges at once: one agent moves to a free partner, its own goes to a third.
    #expect(try both([[1, 2, 1, 1], [1, 0, 0, 2], [0, 1, 0, 1]]).cost == 1)
  }

  @Test func bestIsNotGreedy() throws {
    // The cheapest pair first costs 0 + 9; together they cost 3.
    #expect(try both([[0, 1], [2, 9]]).cost == 3)
  }

  @Test func nobody() throws {
    #expect(try both([]).columns.isEmpty)
    let none = Tensor([3, 0], [])
    #expect(Hungarian().optimized(none).columns == [nil, nil, nil])
    #expect(Hungarian().reference(none) == Hungarian().optimized(none))
  }

  @Test func extremeCosts() throws {
    let tiny = Double.leastNonzeroMagnitude
    #expect(try both([[tiny, 3 * tiny], [0, 0]]).columns == [0, 1])
    let huge = Double.greatestFiniteMagnitude
    #expect(try both([[huge, -huge], [huge, huge]]).columns == [1, 0])
    // Beside 2^50 a difference of 1 is less than a unit: a tie, and the lowest partner.
    #expect(try both([[1, 0], [0x1p50, 0x1p50]]).columns == [0, 1])
  }

  @Test func refusals() {
    for (bad, name) in [(Double.nan, "nan"), (.infinity, "inf"), (-.infinity, "-inf")] {
      do {
        try Hungarian().check(Tensor([2, 2], [0, 1, bad, 3]))
        Issue.record("\(bad) is not refused")
      } catch {
        #expect(error.index == 2 && error.given == "\(name) in row 1, column 0", "\(error)")
      }
    }
    #expect(throws: InvalidInput.self) { try Hungarian().check(Tensor([4], [0, 1, 2, 3])) }
    #expect(throws: InvalidInput.self) { try Hungarian().check(Tensor([2, 2], [0, 1, 2])) }
  }

  /// A hundred truths and three hundred queries: cheap enough for training, and still optimal.
  @Test func large() throws {
    var random = SplitMix(seed: 3, "HungarianTests")
    let problem = Tensor([300, 100], (0..<30000).map { _ in random.uniform(0, 8) })
    let matching = Hungarian().optimized(problem)
    #expect(Hungarian.Prices(problem, matching) != nil)
  }
}
